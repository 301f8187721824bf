"""``gossip members``: asks a running node for its view, or why it sees one member as it does, without joining."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from pathlib import Path

import click
import trio
from rich.table import Table
from rich.text import Text

from gossip import Explanation, explain_member, query_members
from gossip.cli.options import VALID_NAME, cluster_option, keyring_option, load_keyring, make_config, parse_peer
from gossip.cli.rendering import STATUS_STYLES, clock, describe_metadata, printable
from gossip.cli.terminal import OutputConsole
from gossip.core.errors import GossipError
from gossip.core.state.member import Member, is_valid_name
from gossip.core.support.address import Address
from gossip.json_forms import address_text, explanation_json, member_json


def _parse_timeout(_: click.Context, __: click.Parameter, value: float) -> float:
    if math.isnan(value):  # click finds it in any range
        raise click.BadParameter("it is not a number of seconds.")
    return value


def _parse_name(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    if name is not None and not is_valid_name(name):
        raise click.BadParameter(f"{name!r} is not {VALID_NAME}.")
    return name


@click.command()
@click.option("--join", metavar="HOST:PORT", callback=parse_peer, required=True, help="The member to ask.")
@click.option(
    "--explain",
    "name",
    metavar="NAME",
    callback=_parse_name,
    help="Explain why the asked member sees the member NAME as it does.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table or sentences.")
@cluster_option
@keyring_option()
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    callback=_parse_timeout,
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an answer.",
)
def members(join: Address, name: str | None, as_json: bool, cluster: str, keyring: Path | None, timeout: float) -> int:
    """Show who is in a cluster, as one of its members sees it.

    With --explain, show one member: what the asked member found out about it, and who accused it.
    This command asks over TCP and does not become a member itself.

    \b
    Examples:
      gossip members --join 127.0.0.1:7946
      gossip members --join db1.example.net:7946 --json
      gossip members --join db1.example.net:7946 --keyring keys
      gossip members --join db1.example.net:7946 --explain db2

    \b
    Each member has one of these statuses:
      alive    its heartbeat advances
      suspect  a member got no answer from it; it may still prove to be alive
      dead     it did not prove to be alive in time
      left     it said farewell
    """
    config = make_config("lan", cluster)
    ring = None if keyring is None else load_keyring(keyring)
    try:
        if name is None:
            ask = functools.partial(query_members, join, config=config, timeout=timeout, keyring=ring)
            _print_members(trio.run(ask), as_json)
        else:
            explain = functools.partial(explain_member, join, name, config=config, timeout=timeout, keyring=ring)
            _print_explanation(trio.run(explain), as_json)
    except GossipError as error:
        raise click.ClickException(str(error)) from error
    return 0


def _print_members(found: Sequence[Member], as_json: bool) -> None:
    if as_json:
        print(json.dumps([member_json(member) for member in found], indent=2))
    else:
        _print_table(found)


def _print_explanation(told: Explanation, as_json: bool) -> None:
    if as_json:
        print(json.dumps(member_json(told.member) | {"explanation": explanation_json(told)}, indent=2))
    else:
        OutputConsole().print(Text(str(told)), soft_wrap=True)


def _print_table(found: Sequence[Member]) -> None:
    console = OutputConsole()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("NAME", "STATUS", "ADDRESS", "STARTED", "METADATA"):
        table.add_column(title, overflow="fold")
    for member in found:
        table.add_row(
            Text(printable(member.name)),
            Text(member.status.value, STATUS_STYLES[member.status]),
            Text(address_text(member.address) or "not known yet"),
            Text(clock(member.generation / 1000, with_date=True)),
            Text(describe_metadata(member.metadata)),
        )
    console.print(table)
    living = sum(member.status.is_living for member in found)
    console.print(Text(f"{living} of {len(found)} alive"))
