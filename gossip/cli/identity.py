"""``gossip identity``: the key with which one member signs its statements about itself."""

from __future__ import annotations

from pathlib import Path

import click

from gossip.cli.rendering import printable
from gossip.cli.terminal import print_utf8
from gossip.core.errors import ConfigurationError
from gossip.core.state.member import is_valid_name
from gossip.security import SigningKey


@click.group()
def identity() -> None:
    """Make the key with which one member signs what it says of itself.

    Where agents are started with --identity, a member's name belongs to its key: a holder of nothing but the keys of
    the cluster can neither speak nor leave in its name. Each member has a key of its own, and only its machine has it.

    \b
    On each machine:
      gossip identity new node.key
      gossip agent --name ada --identity node.key --keyring keys ...

    A name belongs to the first key seen with it, unless --allowed FILE says which key it belongs to. That file may be
    public. It has a line for each member, with a public key and a name, as "show" prints it:

    \b
      gossip identity show node.key --name ada
    """


@identity.command()
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> int:
    """Make a new signing key.

    FILE must not exist. Only its owner will be able to read it (mode 600), and an agent refuses it otherwise.

    \b
    Example:
      gossip identity new node.key
    """
    try:
        key = SigningKey.generate()
        key.save_new(file)
    except ConfigurationError as error:
        raise click.UsageError(str(error), click.get_current_context()) from None
    print(f"{printable(str(file))} has a new signing key; the public one is {key.public_text}")
    return 0


@identity.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Print the line of this member for a list of allowed keys.")
def show(file: Path, name: str | None) -> int:
    """Print the public key that belongs to a signing key.

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
        raise click.UsageError(f"--name: {name!r} is no name that a member may have", click.get_current_context())
    else:
        print_utf8(f"{key.public_text} {name}")  # a line for a file, so the encoding of the terminal does not matter
    return 0
