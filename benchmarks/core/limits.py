"""How far the protocol is from what theory allows, measured in simulated clusters that lose nothing.

The limits are those of :mod:`benchmarks.core.theory`.

**Updates.** One member changes its metadata, and all others learn of it. Hops are counted in the tree of first news: an
edge leads from the node that told another one first. Rounds are the time, in one-way delays of the network. There are
two networks:

- in one, all delays are equal. Rounds and hops are the same there, unless a node waited before it pushed;
- the other is like a local network (:data:`sims.links.LAN_LATENCY`). News arrives first by the fastest way, which has
  more hops than the shortest way and takes less time.

*What the hops are compared with.* If each node that knows tells k others at each hop, N nodes cannot know in fewer than
log(N) / log(1 + k) hops. Three things keep every run above this limit, so each of them is reported beside it:

- hops are whole, so no run needs fewer than the limit rounded up;
- here each node pushes once, and not at every hop. So the number of nodes that know grows by a factor of k and not of 1
  + k, which takes one whole hop more at some sizes;
- the limit assumes that no node is told twice. Plain push, in which each node tells k random members once, leaves that
  to chance and misses about e^-k of them; ``push_once_*`` is the mean of simulated runs of it.

*What the rounds are compared with.* Periodic push-pull with a single contact in each round: its formula and the mean of
simulated runs, and, because here a node speaks to k others at once, the mean of runs with k contacts a round. Those
runs spend more than the protocol: k contacts in every round, while a node of the protocol pushes to k members once. On
the other hand, a round of push-pull is an interval of that protocol, and here it is one delay of the network. So the
figures compare how many rounds there are, not how long they take.

**Crashes.** One process ends, at any moment of two intervals. Times are in probe intervals. The first question is the
first ping that is sent to its address after that: any conclusion from the silence comes later. (A ping that was under
way at the crash also fails, but that concerns half a millisecond in a second.) It is compared with probing at random.
In continuous time, with nodes at phases of their own, that takes one interval on average. SWIM's 1 / (1 - 1/e) = 1.58
is the same mean in whole intervals, the last one counted in full, so it is compared with times that are rounded up in
the same way.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from random import Random

import attrs

from benchmarks.analysis.samples import Number, Sample
from benchmarks.core import theory
from benchmarks.core.ratios import CRASH, EXPERIMENT, UPDATE, UPDATE_LAN
from benchmarks.core.world import EQUAL_DELAYS, World
from benchmarks.environment.parallel import spread
from gossip.core.config import Config
from sims.running.cycles import few_searches_for_cycles
from sims.world.latency import Latency
from sims.world.links import LAN_LATENCY
from sims.world.randomness import derived_random

LAN_MEAN_S = LAN_LATENCY.median * math.exp(LAN_LATENCY.sigma**2 / 2)
"""Mean of the lognormal distribution."""

NETWORKS: dict[str, tuple[Latency, float]] = {
    UPDATE: (EQUAL_DELAYS, EQUAL_DELAYS.seconds),
    UPDATE_LAN: (LAN_LATENCY, LAN_MEAN_S),
}
"""By setting: the delays, and their mean in seconds, which is one round."""

REPEATS_PER_WORLD = 25
"""Updates and crashes measured in one cluster. Then another cluster begins, with other ids and so another ring."""

LARGE = 2000
"""From this many nodes on, joining takes longer than what is measured, and gigabytes. So all repetitions are made in
one cluster, and no two such clusters run at once."""


@attrs.frozen(kw_only=True)
class Task:
    """What one process measures: some repetitions in one cluster."""

    nodes: int
    seed: int
    repeats: range
    config: Config


def measure(task: Task) -> list[Sample]:
    """Make some repetitions, in this process."""
    with few_searches_for_cycles() as all_stays:
        world = World(task.nodes, task.seed, task.config)
        all_stays()
        samples = []
        for repeat in task.repeats:
            for setting, (latency, round_s) in NETWORKS.items():
                samples.append(_sample(task, setting, repeat, world.update(latency, round_s)))
        samples += [_sample(task, CRASH, repeat, world.crash()) for repeat in task.repeats]
    return samples


def _sample(task: Task, setting: str, repeat: int, numbers: dict[str, Number]) -> Sample:
    return Sample(
        experiment=EXPERIMENT, system="ours", nodes=task.nodes, setting=setting, repeat=repeat, seed=task.seed,
        numbers=numbers,
    )  # fmt: skip


# --- the limits


def limits_of(nodes: int, config: Config, seed: int) -> list[Sample]:
    """The limits for clusters of so many nodes."""
    numbers: dict[str, dict[str, Number]] = {
        UPDATE: _limits_of_updates(nodes, config, derived_random(seed, EXPERIMENT, "theory", nodes)),
        CRASH: {
            "random_mean_intervals": theory.random_probing_mean_intervals(nodes),
            "random_p99_intervals": theory.random_probing_quantile_intervals(nodes, 0.99),
            "random_mean_whole_intervals": theory.random_probing_whole_intervals(nodes),
            "alternating_mean_intervals": theory.ALTERNATING_MEAN_INTERVALS,
            "regular_mean_intervals": theory.REGULAR_MEAN_INTERVALS,
        },
    }
    return [
        Sample(experiment=EXPERIMENT, system="limit", nodes=nodes, setting=setting, seed=seed, numbers=each)
        for setting, each in numbers.items()
    ]


def _limits_of_updates(nodes: int, config: Config, random: Random) -> dict[str, Number]:
    fan_out = config.push_fanout
    missed: list[int] = []

    def plain_push() -> float:
        hops, missing = theory.push_once(nodes, fan_out, random)
        missed.append(missing)
        return hops

    plain_hops = theory.mean_of(plain_push)
    return {
        "fan_out": fan_out,
        "limit_hops": theory.push_limit_hops(nodes, fan_out),
        "limit_whole_hops": theory.push_limit_whole_hops(nodes, fan_out),
        "limit_once_whole_hops": theory.push_once_limit_whole_hops(nodes, fan_out),
        "push_once_mean_hops": plain_hops,
        "push_once_missed_share": statistics.fmean(missed) / nodes,
        "push_pull_formula_rounds": theory.push_pull_formula_rounds(nodes),
        "push_pull_mean_rounds": theory.mean_of(lambda: theory.push_pull_rounds(nodes, random)),
        "push_pull_same_fan_out_mean_rounds": theory.mean_of(
            lambda: theory.push_pull_rounds(nodes, random, fan_out)
        ),
    }  # fmt: skip


# --- the experiment


@attrs.frozen(kw_only=True)
class _Theory:
    """The limits of one size, to be computed in another process."""

    nodes: int
    seed: int
    config: Config


def _do(task: Task | _Theory) -> list[Sample]:
    return measure(task) if isinstance(task, Task) else limits_of(task.nodes, task.config, task.seed)


def limits(sizes: Sequence[int], repeats: int, seed: int, processes: int | None, step: Callable[[str], None],
           config: Config | None = None) -> list[Sample]:  # fmt: skip
    """Measure clusters of these sizes, and compute their limits.

    :param repeats: updates over each network, and crashes, at each size.
    :param seed: of the first cluster of each size; further ones count from it.
    :param processes: how many measure at once; None is one for each core. Large clusters are measured one by one.
    :param step: takes what has been done.
    :param config: of all nodes, instead of the profile ``lan``.
    :returns: a sample of each repetition, and samples of the system ``limit``.
    """
    config = config or Config.lan()
    tasks = [task for nodes in sizes for task in _tasks(nodes, repeats, seed, config)]
    small = [task for task in tasks if task.nodes < LARGE]
    theories = [_Theory(nodes=nodes, seed=seed, config=config) for nodes in sizes]
    parts = _spread([*theories, *small], processes, step)
    for task in tasks:
        if task.nodes >= LARGE:
            parts += _spread([task], 1, step)  # in a process of its own, which gives back the memory
    return [sample for part in parts for sample in part]


def _tasks(nodes: int, repeats: int, seed: int, config: Config) -> Iterator[Task]:
    at_once = repeats if nodes >= LARGE else REPEATS_PER_WORLD
    for number, first in enumerate(range(0, repeats, max(1, at_once))):
        yield Task(
            nodes=nodes, seed=seed + number, repeats=range(first, min(first + at_once, repeats)), config=config
        )  # fmt: skip


def _spread(tasks: Sequence[Task | _Theory], processes: int | None, step: Callable[[str], None]) -> list[list[Sample]]:
    done = iter(range(1, len(tasks) + 1))
    sizes = "/".join(str(nodes) for nodes in dict.fromkeys(task.nodes for task in tasks))
    return spread(_do, tasks, lambda: step(f"limits, {sizes} nodes: {next(done)} of {len(tasks)}"), processes)
