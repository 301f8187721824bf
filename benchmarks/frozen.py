"""Agents as processes of their own: one is stopped for a while (SIGSTOP), and woken again.

Times are those that the agents wrote into their events; all of them share this machine's clock.
"""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import attrs
import trio

from benchmarks.plan import FreezeEffort
from benchmarks.report import Figure, MeasurementFailed, median, worst
from gossip.cli import steps
from gossip.cli.cluster import Cluster, StepFailed
from gossip.cli.processes import AgentFailed, open_pool

PROFILE = "lan"

SHORT_S = 1.5
LONG_S = 10.0
BACK_TARGET_S = 2.0

PHASE_S = 1.0
"""One round: a freeze begins at a random moment of it."""

BACK_LIMIT_S = 30.0


@attrs.frozen
class Freeze:
    """What the agents made of one freeze."""

    deaths: dict[str, float]
    """Seconds from stopping until each agent held the frozen one dead, of those that did."""
    back: float
    """Seconds from waking until the last agent that had doubted it saw it alive again."""
    raised: int
    """Members that the woken agent accused, as the first or by name."""
    told: int
    """Events in which the woken agent said that somebody is suspect or dead."""
    healthy_deaths: int
    """Times anybody held another than the frozen one dead."""


async def measure_freezes(effort: FreezeEffort, tell: Callable[[Figure], None], step: Callable[[str], None]) -> None:
    """Freeze agents for a short and for a long time.

    :raises MeasurementFailed: if the agents did not start, or did not find together again.
    """
    random = Random()
    async with _agents(effort.agents, step) as cluster:
        short = []
        for _ in range(effort.short):
            step(f"agents: freeze of {SHORT_S:g} s")
            short.append(await _freeze(cluster, SHORT_S, effort.settle_s, random))
        long = []
        for _ in range(effort.long):
            step(f"agents: freeze of {LONG_S:g} s")
            long.append(await _freeze(cluster, LONG_S, effort.settle_s, random))
    for figure in (*_short_figures(short), *_long_figures(long, effort.agents - 1)):
        tell(attrs.evolve(figure, name=f"{effort.agents} agents: {figure.name}"))
    healthy = sum(each.healthy_deaths for each in (*short, *long))
    tell(Figure(name=f"{effort.agents} agents: times a healthy agent was held dead", value=healthy, target=0))


@asynccontextmanager
async def _agents(count: int, step: Callable[[str], None]) -> AsyncIterator[Cluster]:
    """Agents that see each other; none is left when the block ends."""
    failure: Exception | None = None
    with tempfile.TemporaryDirectory(prefix="gossip-figures-") as folder:
        async with open_pool(Path(folder)) as pool:
            names = [f"agent-{number}" for number in range(count)]
            cluster = Cluster(pool, PROFILE, names, say=lambda _: None)
            try:
                step("agents: start")
                await steps.join(cluster)
                yield cluster
            except (StepFailed, AgentFailed) as error:
                failure = error  # raised from here it would come as a group
    if failure is not None:
        raise MeasurementFailed(str(failure)) from failure


async def _freeze(cluster: Cluster, seconds: float, settle_s: float, random: Random) -> Freeze:
    """Stop some agent for so long, wake it, and watch what follows."""
    journal = cluster.journal
    await trio.sleep(random.uniform(0, PHASE_S))
    victim = random.choice(cluster.names)
    others = cluster.running(without=victim)
    stopped, stopped_at = len(journal.sightings), time.time()
    cluster.current[victim].send(signal.SIGSTOP)
    await trio.sleep(seconds)
    woken, woken_at = len(journal.sightings), time.time()
    cluster.current[victim].send(signal.SIGCONT)
    await cluster.agreed(BACK_LIMIT_S)
    await trio.sleep(settle_s)
    await cluster.agreed(BACK_LIMIT_S)
    deaths = journal.first_times(others, lambda seen: seen.kind == "died" and seen.subject == victim, stopped)
    restored = [seen for seen in journal.after(woken, "restored") if seen.subject == victim]
    accusations = journal.after(woken, "suspected", "died")
    return Freeze(
        deaths={name: moment - stopped_at for name, moment in deaths.items()},
        back=max((seen.time - woken_at for seen in restored), default=0.0),
        raised=len(steps.accused_by(journal, victim, woken)),
        told=sum(seen.observer == victim for seen in accusations),
        healthy_deaths=sum(seen.subject != victim for seen in journal.after(stopped, "died")),
    )


def _short_figures(freezes: Sequence[Freeze]) -> Iterable[Figure]:
    name = f"frozen {SHORT_S:g} s ({len(freezes)} times)"
    if freezes:
        yield Figure(
            name=f"{name}: agents that held it dead", value=sum(len(each.deaths) for each in freezes), target=0
        )
        yield worst(f"{name}: doubted by nobody again", [each.back for each in freezes])
        yield from _innocence(name, freezes)


def _long_figures(freezes: Sequence[Freeze], others: int) -> Iterable[Figure]:
    name = f"frozen {LONG_S:g} s ({len(freezes)} times)"
    if freezes:
        fewest = min(len(each.deaths) for each in freezes)
        yield Figure(name=f"{name}: agents that held it dead", value=fewest, target=others, is_minimum=True)
        last = [max(each.deaths.values()) for each in freezes if each.deaths]
        if last:
            yield median(f"{name}: held dead by the last", last)
            yield worst(f"{name}: held dead by the last", last)
        back = [each.back for each in freezes]
        yield median(f"{name}: back for all", back, BACK_TARGET_S)
        yield worst(f"{name}: back for all", back, BACK_TARGET_S)
        yield from _innocence(name, freezes)


def _innocence(name: str, freezes: Sequence[Freeze]) -> Iterable[Figure]:
    yield Figure(name=f"{name}: members it accused after waking", value=sum(each.raised for each in freezes), target=0)
    told = sum(each.told for each in freezes)
    yield Figure(name=f"{name}: suspected or died told by it after waking", value=told, target=0)
