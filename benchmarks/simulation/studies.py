"""The figures of :mod:`benchmarks.simulation.figures`: the runs of which each is made, and its target."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from benchmarks.ablations import AS_BUILT, HELD_DEAD_WITHOUT_GUARDS
from benchmarks.analysis.figures import Figure
from benchmarks.simulation.growth import growth_of
from benchmarks.simulation.jobs import Job
from sims.plan import Plan
from sims.running import Outcome
from sims.scenarios import find
from sims.steps import Crash, Update
from sims.watching import percentile

SIZES = (32, 128, 1000)
"""Members of clusters, for figures that should not depend on the size."""

UPDATE_BEFORE_S = 2.0
CRASH_KNOWN_S = 8.0
"""Virtual seconds simulated after a crash."""

GRID_BLOCKED = (1, 4, 16, 32)
GRID_BLOCK_S = (2.0, 8.0, 16.0, 32.0)
GRID_AWAKE_S = (0.001, 1.0)
GRID = tuple(itertools.product(GRID_BLOCKED, GRID_BLOCK_S, GRID_AWAKE_S))
"""The grid of the Lifeguard paper's experiment: members blocked, for how long, and awake in between for how long."""

COMPARED_AWAKE_S = 1.0
"""The half of the grid that was once run with all guards off, too."""


class Runs(Protocol):
    """Makes runs, and shows progress."""

    def __call__(self, title: str, jobs: Sequence[Job], alone: bool = False) -> list[Outcome]:
        """The outcomes, in the order of the jobs; ``alone`` makes one at a time, so that times can be compared."""


@attrs.define(kw_only=True)
class Study:
    """What is measured, and with how much effort."""

    first_seed: int
    quick: bool
    runs: Runs
    figures: list[Figure]
    violations: list[str] = attrs.Factory(list)

    def seeds(self, count: int) -> range:
        """So many seeds, or a few if the user wants a quick run."""
        return range(self.first_seed, self.first_seed + (max(2, count // 50) if self.quick else count))

    def sizes(self) -> tuple[int, ...]:
        """The sizes of clusters."""
        return SIZES[:2] if self.quick else SIZES

    def make(self, title: str, jobs: Sequence[Job], alone: bool = False) -> list[Outcome]:
        """Make runs, and keep their violations."""
        outcomes = self.runs(title, jobs, alone)
        for job, outcome in zip(jobs, outcomes, strict=True):
            self.violations += [f"{outcome.scenario} ({job.ablation}): {each}" for each in outcome.violations]
        return outcomes

    def tell(self, name: str, value: float | None, unit: str = "s", target: float | None = None, *,
             at_least: bool = False, samples: Sequence[float] = ()) -> None:  # fmt: skip
        """Add a figure."""
        value = math.inf if value is None else value
        self.figures.append(
            Figure(name=name, value=value, unit=unit, target=target, is_minimum=at_least, samples=tuple(samples))
        )


SPEED_REPEATS = 5
"""Runs of one and the same plan: other work on the machine may slow any of them down."""


def speed(study: Study) -> None:
    """How fast and how large simulations can be."""
    nodes, seconds, long = (200, 20.0, 60.0) if study.quick else (1000, 60.0, 300.0)
    plan = find("steady").plan(nodes=nodes, duration_s=seconds, seed=study.first_seed)
    checked = find("steady").plan(nodes=128, duration_s=long, seed=study.first_seed)
    jobs = [Job(checked)] * SPEED_REPEATS + [Job(checked, checks=True), Job(plan)]
    *bare, watched, large = study.make("speed", jobs, alone=True)
    speeds = [each.datagrams / each.wall_s for each in bare]
    title = f"128 nodes, simulated datagrams a second, median of {len(speeds)}"
    study.tell(title, statistics.median(speeds), "datagrams", 30_000, at_least=True, samples=speeds)
    study.tell("the same with all invariants checked", watched.datagrams / watched.wall_s, "datagrams")
    study.tell(f"{nodes} nodes, {seconds:g} virtual seconds: took", large.wall_s, "s", 30.0)
    study.tell(f"{nodes} nodes, datagrams a second, start included", large.datagrams / large.wall_s, "datagrams")


def growth(study: Study) -> None:
    """How time and memory grow with the number of nodes that join all at once."""
    sizes, largest = ((50, 100, 200), 500) if study.quick else ((250, 500, 1000), 5000)
    study.figures += growth_of(sizes, largest, study.first_seed)


def news(study: Study) -> None:
    """How long until an update and a crash are known to all, without loss; one of each in every run."""
    medians = []
    for nodes in study.sizes():
        plans = [_with_update(find("crash").plan(nodes=nodes, seed=seed)) for seed in study.seeds(200)]
        outcomes = study.make(f"update and crash, {nodes} nodes", [Job(plan) for plan in plans])
        times = [each.crashes[0].last_dead_s or math.inf for each in outcomes]
        medians.append(statistics.median(times))
        title = f"{nodes} nodes, crash, last one knows"
        study.tell(f"{title}: median of {len(times)}", medians[-1], "s", 3.5, samples=times)
        study.tell(f"{title}: 99 %", percentile(times, 0.99), "s", 5.0)
        study.tell(f"{title}: worst", max(times))
        study.tell(f"{nodes} nodes, false deaths", sum(_false_deaths(each) for each in outcomes), "", 0)
        times = [each.updates[0].last_s or math.inf for each in outcomes]
        title = f"{nodes} nodes, update, last one knows"
        study.tell(f"{title}: median of {len(times)}", statistics.median(times), "s", 0.05, samples=times)
        study.tell(f"{title}: worst", max(times), "s", 0.3)
    study.tell("crash, medians: largest to smallest", max(medians) / min(medians), "", 1.3)


def _with_update(plan: Plan) -> Plan:
    """The plan of a crash, with an update two seconds before it, and no longer than both need to become known."""
    (crash,) = plan.steps
    assert isinstance(crash, Crash)
    changed = next(key for key in plan.keys[1:] if key != crash.node)
    update = Update(at=crash.at - UPDATE_BEFORE_S, node=changed, metadata={"changed": "once"})
    return attrs.evolve(plan, steps=(update, crash), duration_s=crash.at + CRASH_KNOWN_S)


def update(study: Study) -> None:
    """What an update costs without loss, and how long it takes at 25 % loss, in the largest cluster."""
    nodes = study.sizes()[-1]
    plans = [find("update").plan(nodes=nodes, seed=seed, duration_s=8.0) for seed in study.seeds(3)]
    quiet = [attrs.evolve(plan, steps=(), scenario="steady") for plan in plans]
    lossy = [find("update").plan(nodes=nodes, seed=seed, duration_s=8.0, loss=0.25) for seed in study.seeds(40)]
    outcomes = study.make("update", [Job(plan) for plan in (*plans, *quiet, *lossy)])
    with_update, without = outcomes[: len(plans)], outcomes[len(plans) : 2 * len(plans)]
    extra = sum(each.datagrams for each in with_update) - sum(each.datagrams for each in without)
    study.tell(f"{nodes} nodes, update, datagrams for it, per node", extra / len(plans) / nodes, "datagrams", 7.0)
    times = [each.updates[0].last_s or math.inf for each in outcomes[2 * len(plans) :]]
    title = f"{nodes} nodes, 25 % loss, update, last one knows"
    study.tell(f"{title}: median of {len(times)}", statistics.median(times), "s", 0.5, samples=times)
    study.tell(f"{title}: worst", max(times))


def lossy(study: Study) -> None:
    """A quarter of all packets lost, for ten node-days, with crashes."""
    nodes, hours = 128, 0.25 if study.quick else 24 * 10
    seconds = 600.0
    runs = max(2, math.ceil(hours * 3600 / nodes / seconds))
    plans = [
        find("lossy").plan(nodes=nodes, seed=seed, duration_s=seconds, changes={"crashes": "1"})
        for seed in range(study.first_seed, study.first_seed + runs)
    ]
    outcomes = study.make("25 % loss", [Job(plan) for plan in plans])
    days = sum(each.nodes * each.virtual_s for each in outcomes) / 86_400
    times = [each.crashes[0].last_dead_s or math.inf for each in outcomes]
    study.tell(
        f"25 % loss, {nodes} nodes, {days:.1f} node-days: false deaths", sum(map(_false_deaths, outcomes)), "", 0
    )
    study.tell(f"25 % loss, crash, last one knows: median of {len(times)}", statistics.median(times), samples=times)
    study.tell("25 % loss, crash, last one knows: worst", max(times), "s", 6.0)
    study.tell("25 % loss, datagrams per node and second",
               statistics.mean(each.per_node_s.datagrams_sent for each in outcomes), "datagrams", 15)  # fmt: skip
    study.tell("25 % loss, bytes per node and second",
               statistics.mean(each.per_node_s.bytes_sent for each in outcomes), "B", 2000)  # fmt: skip


def slow(study: Study) -> None:
    """The Lifeguard paper's experiment: messages blocked, or whole processes."""
    for how in ("messages", "process"):
        _slow(study, how, GRID[:2] if study.quick else GRID)


def _slow(study: Study, how: str, grid: Sequence[tuple[int, float, float]]) -> None:
    plans = [
        find("slow-nodes").plan(
            nodes=128, seed=study.first_seed,
            changes={"blocked": str(blocked), "block_s": str(block_s), "awake_s": str(awake_s), "how": how},
        )
        for blocked, block_s, awake_s in grid
    ]  # fmt: skip
    title = f"{how} blocked, {len(grid)} cells"
    built = study.make(title, [Job.of(plan, AS_BUILT) for plan in plans])
    compared = [number for number, (_, _, awake_s) in enumerate(grid) if awake_s == COMPARED_AWAKE_S]
    study.tell(f"{title}: healthy held dead by healthy", _sum(built, "healthy_by_healthy"), "", 0)
    study.tell(f"{title}: healthy held dead by blocked", _sum(built, "healthy_by_impaired"), "")
    if grid == GRID:  # the kept count without guards is that of the whole grid
        without, same = (
            HELD_DEAD_WITHOUT_GUARDS[how],
            _sum([built[number] for number in compared], "healthy_by_impaired"),
        )
        share = 100 * same / without if without else 0.0
        study.tell(f"{how} blocked, healthy held dead by blocked, per cent of that with guards off", share, "", 1.0)
    study.tell(f"{title}: datagrams per node and second, worst cell",
               max(each.per_node_s.datagrams_sent for each in built), "datagrams", 25)  # fmt: skip
    study.tell(
        f"{title}: bytes per node and second, worst cell", max(each.per_node_s.bytes_sent for each in built), "B"
    )


def heal(study: Study) -> None:
    """How soon all agree after a cut has healed."""
    for name, changes in (
        ("split-heal", {}), ("one-way", {"which": "deaf"}), ("one-way", {"which": "mute"}), ("bridge", {}),
        ("long-split", {}),
    ):  # fmt: skip
        plans = [find(name).plan(nodes=100, seed=seed, changes=changes) for seed in study.seeds(5)]
        outcomes = study.make(name, [Job(plan) for plan in plans])
        times = [math.inf if each.heal_s is None else each.heal_s for each in outcomes]
        title = " ".join((name, *changes.values()))
        study.tell(f"{title}, 100 nodes, agreed: median of {len(times)}", statistics.median(times), samples=times)
        study.tell(f"{title}, 100 nodes, agreed: worst", max(times), "s", 10.0)


def swarm(study: Study) -> None:
    """Everything drawn from the seed, all invariants checked."""
    seeds = study.seeds(10_000)
    plans = [find("swarm").plan(seed=seed) for seed in seeds]
    outcomes = study.make("swarm", [Job(plan, checks=True) for plan in plans])
    reached: Counter[str] = Counter()
    for each in outcomes:
        reached.update({point for point, count in each.sometimes.items() if count})
    study.tell(f"swarm, {len(outcomes)} seeds: runs with a violation",
               sum(not each.is_good for each in outcomes), "", 0)  # fmt: skip
    never = [point for point in outcomes[0].sometimes if not reached[point]]
    study.tell("swarm, points never reached" + (f" ({', '.join(never)})" if never else ""), len(never), "", 0)
    for point in outcomes[0].sometimes:
        study.tell(f"swarm, runs that reached {point}", reached[point], "")


def _false_deaths(outcome: Outcome) -> int:
    """Views of a healthy member as dead."""
    return outcome.false_deaths.healthy_by_healthy + outcome.false_deaths.healthy_by_impaired


def _sum(outcomes: Sequence[Outcome], kind: str) -> int:
    return sum(int(getattr(each.false_deaths, kind)) for each in outcomes)


FIGURES: dict[str, Callable[[Study], None]] = {
    "speed": speed,
    "growth": growth,
    "news": news,
    "update": update,
    "lossy": lossy,
    "slow": slow,
    "heal": heal,
    "swarm": swarm,
}
"""All figures, in the order in which they are measured."""
