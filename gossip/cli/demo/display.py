"""How the demonstration looks: a live table below the lines on a terminal, and plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import trio
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gossip.cli.demo.cluster import Cluster
from gossip.cli.demo.steps import Measurement, duration
from gossip.cli.rendering import STATUS_STYLES, clock, printable
from gossip.cli.terminal import OutputConsole

REFRESH_S = 0.15
"""Fast enough to see news spread, slow enough for a terminal far away."""

LINGER_S = 1.5
"""Pause between two steps, so that people can look at the table."""

_STYLES = {status.value: style for status, style in STATUS_STYLES.items()}


class PlainDisplay:
    """Shows each sentence as a line with its time."""

    def __init__(self) -> None:
        self.console = OutputConsole()
        self._began = time.monotonic()

    def say(self, sentence: str) -> None:
        """Show a line at once."""
        self.console.print(Text(f"[{time.monotonic() - self._began:6.2f} s] {printable(sentence)}"))

    async def follow(self, cluster: Cluster) -> None:
        """Do nothing: there is no table to refresh."""

    async def linger(self) -> None:
        """Do nothing: there is no table to look at."""


class LiveDisplay(PlainDisplay):
    """The same lines, and below them a table of who believes what, refreshed in place."""

    def __init__(self) -> None:
        super().__init__()
        self._live = Live(console=self.console, auto_refresh=False)

    async def follow(self, cluster: Cluster) -> None:
        """Refresh the table until cancelled; the last one stays."""
        with self._live:
            while True:
                self._live.update(belief_table(cluster), refresh=True)
                await trio.sleep(REFRESH_S)

    async def linger(self) -> None:
        """Give people a moment to look at the table."""
        await trio.sleep(LINGER_S)


def open_display() -> PlainDisplay:
    """The display that fits standard output."""
    console = OutputConsole()
    return LiveDisplay() if console.is_terminal and not console.is_dumb_terminal else PlainDisplay()


def belief_table(cluster: Cluster) -> Table:
    """Each member, its process, what the other agents believe about it, and the last change of it."""
    table = Table(title="What the agents say about each other", title_justify="left", title_style="bold")
    for title in ("member", "process", "the others say", "last change"):
        table.add_column(title, no_wrap=True)
    for name in cluster.names:
        table.add_row(name, _process_text(cluster, name), _beliefs_text(cluster, name), _last_text(cluster, name))
    return table


def _process_text(cluster: Cluster, name: str) -> Text:
    agent = cluster.current.get(name)
    if agent is None:
        return Text("not started", "dim")
    if agent.returncode is not None:
        return Text("killed" if agent.returncode < 0 else "ended", "red" if agent.returncode < 0 else "dim")
    if agent.is_frozen:
        return Text(f"{agent.process.pid} frozen", "blue")
    return Text(f"{agent.process.pid} runs" if agent.address else f"{agent.process.pid} starts")


def _beliefs_text(cluster: Cluster, name: str) -> Text:
    beliefs = Counter(
        belief
        for observer in cluster.running(without=name)
        if (belief := cluster.journal.belief(observer, name)) is not None
    )
    parts = [Text(f"{count} {belief}", _STYLES[belief]) for belief, count in sorted(beliefs.items())]
    return Text(", ").join(parts) if parts else Text("nothing yet", "dim")


def _last_text(cluster: Cluster, name: str) -> Text:
    last = cluster.journal.last_about(name)
    return Text("" if last is None else f"{clock(last.time)} {last.kind}, first told by {last.observer}")


def measurement_table(measurements: Sequence[Measurement]) -> Table:
    """The closing table: how long the first and the last agent took to notice."""
    table = Table(title="Measured times", title_justify="left", title_style="bold")
    table.add_column("step", no_wrap=True)
    table.add_column("what")
    table.add_column("first to know", justify="right", no_wrap=True)
    table.add_column("last to know", justify="right", no_wrap=True)
    for measured in measurements:
        ends = [f"{duration(seconds)} {name}" for name, seconds in (*measured.times[:1], *measured.times[-1:])]
        first, last = ends or ("-", "-")
        table.add_row(measured.step, measured.what, first, last)
    return table
