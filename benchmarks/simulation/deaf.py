"""A deaf member, to which no packet gets through, and what the others are told of it.

The others still hear the member. So a detector that takes a running counter for a sign of life tells of its death and
its return again and again. Measured are the seconds until all others have declared it dead, how often each of them is
told that it died and that it was restored, and the seconds until all see it again once it hears again. The clusters are
simulated, or they are agents in a private network where all that is sent to one of them is dropped as it arrives.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import attrs
import click
import trio

from benchmarks.agents.processes import GOSSIP, PORT, open_agents
from benchmarks.environment import namespace
from benchmarks.environment.measuring import MeasurementFailed
from benchmarks.environment.terminal import enter_namespace, sizes
from sims.world import Simulation

JOINED_WITHIN_S = 60.0
BACK_WITHIN_S = 60.0
SETTLING_S = 5.0
"""Seconds in which a cluster comes to rest before the fault begins, and in which it is watched after the fault ends."""

VICTIM = 1
"""The number of the member that becomes deaf; number 0 is the seed of all."""


@attrs.frozen
class Seen:
    """What the others were told in one run."""

    nodes: int
    verdict_s: float | None
    """Until the last of them first declared it dead; None if one never did."""
    died: float
    """How often each was told that it died, on average."""
    restored: float
    back_s: float | None
    """Until all saw it living again; None if that took too long."""


def seen(nodes: int, told: Sequence[tuple[str, str, float]], began: float, back_s: float | None) -> Seen:
    """Sum up what was told while the fault lasted.

    :param told: observer, kind and time of each thing told of the deaf member.
    """
    firsts: dict[str, float] = {}
    for observer, kind, at in told:
        if kind == "died":
            firsts.setdefault(observer, at)
    kinds = [kind for _, kind, _ in told]
    others = nodes - 1
    verdict = max(firsts.values()) - began if len(firsts) == others else None
    return Seen(nodes, verdict, kinds.count("died") / others, kinds.count("restored") / others, back_s)


def simulated(nodes: int, seconds: float, seed: int) -> Seen:
    """One run in virtual time."""
    sim = Simulation(seed=seed)
    sim.start_many(nodes)
    sim.run_until(sim.all_agree, JOINED_WITHIN_S)
    sim.run(SETTLING_S)
    began, name = sim.now, f"n{VICTIM}"
    here = sim.nodes[name].address
    sim.network.cut("deaf", lambda _source, destination: destination == here)
    sim.run(seconds)
    told = [
        (node.name, event.kind.value, event.time)
        for node in sim.running
        for event in node.events
        if node.name != name and event.member.name == name and event.time >= began
    ]
    sim.network.lift()
    try:
        back_s: float | None = sim.run_until(lambda: sim.all_see(name, "alive"), BACK_WITHIN_S)
    except TimeoutError:
        back_s = None
    return seen(nodes, told, began, back_s)


async def on_agents(nodes: int, seconds: float) -> Seen:
    """The same with processes. The deaf one is in a network namespace of its own, so that its streams are deaf, too."""
    names = [f"a{number:03d}" for number in range(nodes)]
    name = names[VICTIM]
    with closing(namespace.OtherHalf()) as elsewhere, tempfile.TemporaryDirectory() as folder:
        async with open_agents(names, Path(folder)) as agents:
            for each in names:
                bind = ("--bind", f"{namespace.RIGHT}.0.1:{PORT}") if each == name else ()
                command = elsewhere.command(GOSSIP) if each == name else GOSSIP
                await agents.start(each, "--insecure", *bind, command=command, seeds=names[:1])
            await trio.sleep(SETTLING_S)
            began = time.time()
            with elsewhere.deaf():
                await trio.sleep(seconds)
            ended = time.time()
            await trio.sleep(SETTLING_S)
            about = [
                (sight.observer.name, sight.kind, sight.time)
                for sight in agents.truth.sights
                if sight.subject == name and sight.observer.name != name and sight.time >= began
            ]
    last = {observer: (kind, at) for observer, kind, at in about if at >= ended}
    is_back = len(last) == nodes - 1 and all(kind == "restored" for kind, _ in last.values())
    back_s = max(at for _, at in last.values()) - ended if is_back else None
    return seen(nodes, [each for each in about if each[2] < ended], began, back_s)


def _row(one: Seen) -> str:
    def seconds(value: float | None) -> str:
        return "never" if value is None else f"{value:.2f}"

    return (
        f"{one.nodes:>5}  {seconds(one.verdict_s):>9}  {one.died:>9.2f}  {one.restored:>9.2f}  {seconds(one.back_s):>7}"
    )


@click.command(short_help="Let one member hear nothing.")
@click.option(
    "--nodes", default="2,3,5,16,40,128", show_default=True, callback=sizes(least=2), help="Sizes of the cluster."
)
@click.option("--minutes", default=10.0, show_default=True, help="How long the member hears nothing.")
@click.option("--runs", default=1, show_default=True, help="Runs of each size; each simulated run has its own seed.")
@click.option("--agents", is_flag=True, help="Measure processes in a private network instead of simulating.")
def main(nodes: tuple[int, ...], minutes: float, runs: int, agents: bool) -> None:
    """Let one member hear nothing, and count what the others are told of it."""
    if agents:
        enter_namespace()
    click.echo("NODES  VERDICT S  DIED EACH  RESTORED   BACK S")
    for size in nodes:
        for seed in range(runs):
            try:
                one = trio.run(on_agents, size, 60 * minutes) if agents else simulated(size, 60 * minutes, seed)
            except MeasurementFailed as error:
                raise click.ClickException(str(error)) from None
            click.echo(_row(one))
