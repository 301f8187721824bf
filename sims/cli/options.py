"""Options that several commands have."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Any

import click

from gossip.core.config import PROFILES

from ..plan import MAX_NODES, MIN_NODES
from ..sweep import Request
from .files import writable, writable_or_dash

SEED = click.IntRange(min=0)
"""The type of a seed."""


def parse_seeds(_: click.Context, __: click.Parameter, text: str) -> range:
    """Callback of an option for seeds, ``A..B``, both ends included."""
    ends = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if ends is None:
        raise click.BadParameter(f"{text!r} is not of the form A..B with two whole numbers")
    first, last = map(int, ends.groups())
    if last < first:
        raise click.BadParameter(f"{text!r} is empty: the second number is less than the first")
    return range(first, last + 1)


def _parse_changes(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    changes: dict[str, str] = {}
    for each in texts:
        key, equals, text = each.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{each!r} is not of the form KEY=VALUE")
        if key in changes:
            raise click.BadParameter(f"{key!r} is given twice")
        changes[key] = text
    return changes


def _parse_duration(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"{value:g} is not a number of seconds above 0")
    return value


_OPTIONS = (
    click.option(
        "--nodes", type=click.IntRange(MIN_NODES, MAX_NODES), metavar="N",
        show_default="the scenario's",
        help="Number of nodes at the beginning.",
    ),
    click.option(
        "--loss", type=click.FloatRange(0, 1), default=0.0, show_default=True, metavar="SHARE",
        help="Share of packets lost on all links, from 0 to 1.",
    ),
    click.option(
        "--latency", metavar="SECONDS|FILE",
        show_default="the scenario's",
        help="One-way delay on all links: a median, or a CSV file of measured delays, both in seconds.",
    ),
    click.option(
        "--duration", type=float, callback=_parse_duration, metavar="SECONDS",
        show_default="the scenario's",
        help="Least virtual seconds to run.",
    ),
    click.option(
        "--profile", type=click.Choice(list(PROFILES)), show_default="lan, or that of the plan in a file",
        help="Timing of all nodes: lan for one data centre, wan for several regions, local for one machine.",
    ),
    click.option(
        "--set", "changes", callback=_parse_changes, multiple=True, metavar="KEY=VALUE",
        help="Change a parameter of the scenario or plan (see: list), or a field of the configuration. Repeatable.",
    ),
)  # fmt: skip


Command = Callable[..., int]


def asks_for_runs(scenario: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """The options that say what to run. The command gets a :class:`sims.sweep.Request`.

    :param scenario: the argument or option ``scenario``.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_request(
            scenario: str, nodes: int | None, loss: float, latency: str | None, duration: float | None,
            profile: str | None, changes: dict[str, str], **others: Any,
        ) -> int:  # fmt: skip
            request = Request(
                scenario=scenario,
                nodes=nodes,
                loss=loss,
                latency=latency,
                profile=profile,
                duration_s=duration,
                changes=changes,
            )
            return command(request=request, **others)

        decorated: Command = with_request
        for option in reversed((scenario, *_OPTIONS)):
            decorated = option(decorated)
        return decorated

    return decorate


request_options = asks_for_runs(click.argument("scenario", metavar="SCENARIO|PLAN.py"))
"""The same, with the scenario or the file of a plan as first argument."""


def json_option(what: str) -> Callable[[Command], Command]:
    """The option ``--json`` of every command that has a result.

    :param what: the result.
    """
    return click.option(
        "--json", "json_to", callback=writable_or_dash, metavar="FILE",
        help=f"Write {what} to FILE as JSON. With a dash, only this goes to standard output.",
    )  # fmt: skip


def file_option(name: str, help_text: str) -> Callable[[Command], Command]:
    """An option for a file to be written."""
    return click.option(name, callback=writable, metavar="FILE", help=help_text)
