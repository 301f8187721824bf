"""``gossip demo``: shows the library at work with real processes on this machine."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import attrs
import click
import trio

from gossip.cli.demo import steps
from gossip.cli.demo.cluster import Cluster, StepFailed
from gossip.cli.demo.display import PlainDisplay, measurement_table, open_display
from gossip.cli.demo.processes import AgentFailed, open_pool
from gossip.cli.demo.steps import Measurement
from gossip.cli.options import profile_option

MIN_NODES = 3
"""With fewer, the rest could not accuse one member and still agree."""

MAX_NODES = 32
"""Each is a Python process of some 40 MB."""

EXIT_FAILURE = 1
EXIT_SIGNAL_BASE = 128

NO_SIGNALS = (
    "the demonstration freezes and wakes agents by SIGSTOP and SIGCONT, and this system has no such signals: run it on "
    "Linux or macOS"
)


@click.command()
@click.option(
    "--nodes",
    type=click.IntRange(MIN_NODES, MAX_NODES),
    default=5,
    show_default=True,
    help="How many agents to start.",
)
@profile_option
def demo(nodes: int, profile: str) -> int:
    """Show the library at work, in less than a minute.

    It starts real agents as separate processes that talk over UDP and TCP on the loopback interface. It
    changes the metadata of one, kills one, starts it again, freezes one and lets it come back, and lets
    one leave. It shows who noticed what and when, and ends with a table of the measured times. However it
    ends, no process is left behind.

    \b
    Examples:
      gossip demo
      gossip demo --nodes 12
      gossip demo --profile local | cat      (plain lines, and faster timing)

    \b
    Exit codes:
      0  every step happened
      1  a step did not happen; the last line says which and why
    """
    if sys.platform == "win32":
        raise click.ClickException(NO_SIGNALS)
    return trio.run(_Demo(nodes, profile).run)


@attrs.define
class _Demo:
    nodes: int
    profile: str
    exit_code: int = 0
    display: PlainDisplay = attrs.Factory(open_display)
    measurements: list[Measurement] = attrs.Factory(list)
    failure: str | None = None
    """The step that did not happen, and why."""

    async def run(self) -> int:
        # The pool kills its children when it closes, so a signal only has to cancel everything.
        stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        with trio.open_signal_receiver(*stops) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._stop_on, signals, nursery.cancel_scope)
                await self._show()
                nursery.cancel_scope.cancel()
        if self.exit_code > EXIT_SIGNAL_BASE:
            self.display.say("stopped; no agent is left running")
        return self.exit_code

    async def _stop_on(self, signals: AsyncIterator[int], everything: trio.CancelScope) -> None:
        async for number in signals:
            self.exit_code = EXIT_SIGNAL_BASE + number
            everything.cancel()

    async def _show(self) -> None:
        names = [f"node{number}" for number in range(1, self.nodes + 1)]
        with contextlib.ExitStack() as stack:
            try:
                made = tempfile.TemporaryDirectory(prefix="gossip-demo-", ignore_cleanup_errors=True)
                folder = stack.enter_context(made)
            except OSError as error:
                self.failure = (
                    f"start: the agents need a directory for their files, but none can be made ({error.strerror}): "
                    "set TMPDIR to a directory where this user may write"
                )
                self._conclude()
                return
            async with open_pool(Path(folder)) as pool:
                cluster = Cluster(pool, self.profile, names, self.display.say)
                async with trio.open_nursery() as showing:  # ends first, so that its last table shows no killed agents
                    showing.start_soon(self.display.follow, cluster)
                    await self._take_steps(cluster)
                    showing.cancel_scope.cancel()
        self._conclude()

    async def _take_steps(self, cluster: Cluster) -> None:
        changed, frozen, killed = cluster.names[1], cluster.names[-2], cluster.names[-1]
        plan: list[tuple[str, Callable[[], Awaitable[Sequence[Measurement]]]]] = [
            ("join", lambda: steps.join(cluster)),
            ("update", lambda: steps.update(cluster, changed)),
            ("crash", lambda: steps.crash(cluster, killed)),
            ("restart", lambda: steps.restart(cluster, killed)),
            ("short freeze", lambda: steps.short_freeze(cluster, frozen)),
            ("long freeze", lambda: steps.long_freeze(cluster, frozen)),
            ("leave", lambda: steps.leave(cluster, changed)),
        ]
        for title, take in plan:
            try:
                self.measurements += await take()
            except (StepFailed, AgentFailed) as error:
                self.failure = f"{title}: {error}"
                return
            await self.display.linger()

    def _conclude(self) -> None:
        if self.measurements:
            self.display.console.print(measurement_table(self.measurements))
        if self.failure is None:
            self.display.say("every step happened, and no agent is left running")
        else:
            self.exit_code = EXIT_FAILURE
            self.display.say(f"this step did not happen: {self.failure}")
