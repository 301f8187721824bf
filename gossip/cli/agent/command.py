"""``gossip agent``: one member of a cluster, as a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import trio

from gossip.cli.agent.logs import LEVELS, start_logging
from gossip.cli.agent.loop import AgentOptions, run_agent
from gossip.cli.agent.metadata import MetadataError, parse_pairs
from gossip.cli.options import (
    cluster_option,
    keyring_option,
    make_config,
    parse_address,
    parse_peers,
    profile_option,
)
from gossip.core.errors import ConfigurationError
from gossip.errors import BindError

LOG_FLUSH_S = 0.2
"""Seconds for writing the last log lines if nobody reads them."""


def _parse_meta(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    try:
        return parse_pairs(pairs)
    except MetadataError as error:
        raise click.BadParameter(str(error)) from error


HELP = """\
Run one member of a cluster and print every change of the membership.

\b
Three members; each gets the addresses of the first two:
  gossip agent --name ada   --bind 127.0.0.1:7946 --join 127.0.0.1:7946 --join 127.0.0.1:7947
  gossip agent --name brook --bind 127.0.0.1:7947 --join 127.0.0.1:7946 --join 127.0.0.1:7947
  gossip agent --name cleo  --bind 127.0.0.1:7948 --join 127.0.0.1:7946 --join 127.0.0.1:7947

\b
At an address that others can reach, with the keys of the cluster (see: gossip keygen --help):
  gossip agent --name ada --bind 0.0.0.0:7946 --join gossip.example.org:7946 --keyring keys

\b
For another program to read:
  gossip agent --name ada --bind 0.0.0.0:7946 --join gossip.example.org:7946 --keyring keys --events json

\b
Signals:
  SIGTERM, SIGINT  leave the cluster and exit with 0 (within 3 seconds);
                   a second one exits at once
  SIGHUP           read --meta-file again and tell the others, and read
                   --keyring again; without either, leave

The agent also reads --keyring again whenever it has changed. If it cannot use a file, nothing changes, and
standard error says why.

\b
Exit codes:
  0  it left the cluster
  1  it cannot use the address, or nobody reads its output any more
  2  bad arguments

If there is no room for the output, as on a full disk, the agent goes on, warns, and writes a "snapshot" of all
members when there is room again. With --events json, this is one line with "alive" and the list "members".
"""


@click.command(help=HELP)
@click.option("--name", required=True, metavar="NAME", help="Name of this member, unique in the cluster.")
@click.option(
    "--bind",
    metavar="HOST:PORT",
    callback=parse_address,
    default="0.0.0.0:7946",
    show_default=True,
    help="Where to listen, with UDP and TCP. Port 0 takes any free port.",
)
@click.option(
    "--advertise",
    metavar="HOST:PORT",
    callback=parse_address,
    help="Where others reach this member, if that is not where it listens (NAT, containers). Without this option, "
    "other members tell it the address that they see.",
)
@click.option(
    "--join",
    metavar="HOST:PORT",
    callback=parse_peers,
    multiple=True,
    help="A member of the cluster; may be given several times. Give every member the same ones, itself included: a "
    "member that has nobody else to look for begins a cluster of its own. The agent tries all addresses of a name, "
    "again and again, so the order in which machines start does not matter.",
)
@profile_option
@cluster_option
@keyring_option()
@click.option(
    "--insecure",
    is_flag=True,
    help="Run without a keyring at an address that others can reach. Anybody who can send a packet there can then take "
    "part.",
)
@click.option(
    "--identity",
    "identity_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Sign the statements of this member about itself with the key in FILE, and believe about others only what "
    "they signed (see: gossip identity --help).",
)
@click.option(
    "--allowed",
    "allowed_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The public key of each name that may be a member, in a file that nobody else may write. Without it, a name "
    "belongs to the first key seen.",
)
@click.option(
    "--meta",
    "metadata",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_parse_meta,
    help="A fact about this member that the others should know; may be given several times.",
)
@click.option(
    "--meta-file",
    "metadata_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The same from a file: lines of KEY=VALUE, or a JSON object of strings. The agent reads it again on SIGHUP. "
    "If both have a key, --meta wins.",
)
@click.option(
    "--events",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to write changes to standard output: lines for people, or one JSON object per line.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="warning",
    show_default=True,
    help="How much to log to standard error.",
)
@click.option(
    "--exit-on-eof",
    is_flag=True,
    help="Also leave when standard input ends, so that the agent never outlives the program that started it.",
)
def agent(profile: str, cluster: str, keyring: Path | None, events: str, log_level: str, **options: Any) -> int:
    """Run one member of a cluster until it gets a signal to stop.

    :param options: the other options, under the names that :class:`AgentOptions` gives them.
    """
    checked = AgentOptions(
        config=make_config(profile, cluster), keyring_file=keyring, as_json=events == "json", **options
    )
    handler = start_logging(log_level)
    try:
        return trio.run(run_agent, checked)
    except (ConfigurationError, MetadataError) as error:
        raise click.UsageError(str(error), click.get_current_context()) from error
    except BindError as error:
        raise click.ClickException(str(error)) from error
    finally:
        handler.finish(LOG_FLUSH_S)
