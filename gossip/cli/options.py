"""Options, and types of options, that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gossip.core.config import PROFILES, Config
from gossip.core.errors import ConfigurationError
from gossip.core.support.address import Address
from gossip.net import too_many_seeds
from gossip.security import Keyring

VALID_NAME = "a valid name: a name has 1 to 128 bytes of printable text, without a space at either end"
"""What an error says that a text is not."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def parse_address(_: click.Context, __: click.Parameter, text: str | None) -> Address | None:
    """Callback of an option for an address to listen at or to advertise."""
    try:
        return None if text is None else Address.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def parse_peer(context: click.Context, parameter: click.Parameter, text: str | None) -> Address | None:
    """Callback of an option for an address to send to."""
    address = parse_address(context, parameter, text)
    if address is not None and address.port == 0:
        raise click.BadParameter(f"{text!r}: port 0 is only for listening; give the port where that member listens")
    return address


def parse_peers(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[Address, ...]:
    """Callback of an option for such addresses that may be given several times."""
    parsed = (parse_peer(context, parameter, text) for text in texts)
    peers = tuple(dict.fromkeys(peer for peer in parsed if peer is not None))
    if excess := too_many_seeds(len(peers)):
        raise click.BadParameter(excess)
    return peers


def cluster_option(function: Decorated) -> Decorated:
    """``--cluster``, the same in every command."""
    return click.option(
        "--cluster",
        metavar="NAME",
        default="default",
        show_default=True,
        help="Name of the cluster. The node ignores nodes of other clusters.",
    )(function)


def profile_option(function: Decorated) -> Decorated:
    """``--profile``, the same in every command."""
    return click.option(
        "--profile",
        type=click.Choice(sorted(PROFILES)),
        default="lan",
        show_default=True,
        help="Timing: local (one machine), lan (one data centre) or wan (across regions). "
        "All nodes of a cluster should have the same.",
    )(function)


def keyring_option(*, required: bool = False) -> Callable[[Decorated], Decorated]:
    """``--keyring``, the same in every command."""
    return click.option(
        "--keyring",
        metavar="FILE",
        type=click.Path(path_type=Path),
        required=required,
        help="The file with the keys of the cluster, which gossip keygen makes. Only its owner may have access to it; "
        "if root is the owner, its group may read it, too.",
    )


def load_keyring(path: Path) -> Keyring:
    """The keys in a file.

    :raises click.UsageError: if it is no file of keys, or others have access to it.
    """
    try:
        return Keyring.load(path)
    except ConfigurationError as error:
        raise click.UsageError(f"--keyring: {error}", click.get_current_context()) from None


def make_config(profile: str, cluster: str) -> Config:
    """The settings for a profile and a cluster.

    :raises click.UsageError: if the name of the cluster is not valid.
    """
    try:
        return PROFILES[profile](cluster=cluster)
    except ConfigurationError as error:
        raise click.UsageError(f"--cluster: {error}") from error
