"""What an experiment works with, and how it tells what it measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random

import attrs

from benchmarks.analysis.samples import Number, Sample, spread_of
from benchmarks.environment.namespace import Sent
from benchmarks.sockets.cluster import Cluster, Report, Seen
from benchmarks.sockets.systems import System


@attrs.define(kw_only=True)
class Bench:
    """One experiment with one system at one size."""

    experiment: str
    system: System
    nodes: int
    repeats: int
    quick: bool
    seed: int
    """Determines which nodes are made to do something, and when."""
    tell: Callable[[Sample], None]
    """Takes each sample as soon as it is known."""
    step: Callable[[str], None]
    """Takes what is done next."""
    random: Random = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.random = Random(f"{self.seed} {self.experiment} {self.nodes}")

    def keep(self, repeat: int, numbers: Mapping[str, Number], *, times_s: Sequence[float] = (),
             setting: str = "") -> None:  # fmt: skip
        """Tell one sample."""
        self.tell(
            Sample(
                experiment=self.experiment, system=self.system.name, nodes=self.nodes, setting=setting, repeat=repeat,
                seed=self.seed, numbers=numbers, times_s=[round(each, 6) for each in times_s],
            )
        )  # fmt: skip

    def keep_seen(self, repeat: int, seen: Seen, more: Mapping[str, Number], *, setting: str = "") -> None:
        """Tell one sample of when nodes saw something, with more numbers."""
        numbers = {**spread_of(seen.times_s, seen.missing), **more}
        self.keep(repeat, numbers, times_s=seen.times_s, setting=setting)

    def full(self, value: float, quick: float) -> float:
        """The value for a full run, or that for a quick one."""
        return quick if self.quick else value

    def any_of(self, cluster: Cluster) -> str:
        """Some node that runs, but not the first, through which others join."""
        return self.random.choice(cluster.running[1:])

    def per_node(self, sent: Sent) -> dict[str, Number]:
        """What was sent, for each node."""
        return {
            "datagrams_per_node": sent.datagrams / self.nodes,
            "bytes_per_node": sent.datagram_bytes / self.nodes,
            "stream_bytes_per_node": sent.stream_bytes / self.nodes,
        }


def false_deaths(report: Report, gone: set[str]) -> int:
    """How often a node declared another dead that was not."""
    return sum(who not in gone for _, who, _ in report.deaths)


@attrs.frozen(kw_only=True)
class Experiment:
    """An experiment that every system goes through."""

    name: str
    about: str
    """What is measured, for people."""
    run: Callable[[Bench], Awaitable[None]]
    nodes: Sequence[int] = (8, 32, 64, 128)
    """Sizes of clusters, unless told otherwise."""
    repeats: int = 5
