"""``gossip identity``: the key with which one member signs its statements about itself."""

from __future__ import annotations

from pathlib import Path

import click

from gossip.cli.options import VALID_NAME
from gossip.cli.rendering import printable
from gossip.cli.terminal import print_utf8
from gossip.core.errors import ConfigurationError
from gossip.core.state.member import is_valid_name
from gossip.security import SigningKey


@click.group()
def identity() -> None:
    """Make the key with which a member signs its statements about itself.

    If you start agents with --identity, a member's name belongs to its key: the keys of the cluster alone do not let
    anybody speak or leave in its name. Each member has a key of its own, which only its machine has.

    \b
    On each machine:
      gossip identity new node.key
      gossip agent --name ada --identity node.key --keyring keys ...

    A name belongs to the first key seen with it, unless --allowed FILE says to which key it belongs. This file may be
    public. It has a line for each member, with a public key and a name. "show" prints this line:

    \b
      gossip identity show node.key --name ada
    """


@identity.command()
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> int:
    """Make a new signing key.

    FILE must not exist. Only its owner can read the new file (mode 600). An agent refuses a file that others can read.

    \b
    Example:
      gossip identity new node.key
    """
    try:
        key = SigningKey.generate()
        key.save_new(file)
    except ConfigurationError as error:
        raise click.UsageError(str(error), click.get_current_context()) from None
    print(f"{printable(str(file))} has a new signing key; its public key is {key.public_text}")
    return 0


@identity.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Print the line for this member in a list of allowed keys.")
def show(file: Path, name: str | None) -> int:
    """Print the public key of a signing key.

    \b
    Examples:
      gossip identity show node.key
      gossip identity show node.key --name ada >> allowed
    """
    try:
        key = SigningKey.load(file)
    except ConfigurationError as error:
        raise click.UsageError(str(error), click.get_current_context()) from None
    if name is None:
        print(key.public_text)
    elif not is_valid_name(name):
        raise click.UsageError(f"--name: {name!r} is not {VALID_NAME}", click.get_current_context())
    else:
        print_utf8(f"{key.public_text} {name}")  # a line for a file, so the encoding of the terminal does not matter
    return 0
