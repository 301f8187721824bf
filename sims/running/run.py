"""Running a plan: build the world, do the steps, watch, and make an outcome."""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

from gossip.core.events import MembershipEvent
from gossip.core.support.address import Address

from ..invariants import Invariant, Rounds, Violated, all_invariants, promised
from ..plan import Plan
from ..steps import Step
from ..watching import Agreement, Measures, Sometimes, TraceHash, Truth
from ..words import counted
from ..world import Observer, SimulatedNode, Simulation
from .cycles import few_searches_for_cycles
from .headline import headline
from .outcome import Joins, Outcome, PerNodeSecond, Violation

CHECK_EVERY_S = 1.0
"""Virtual seconds between two checks of the invariants that are checked a part at a time."""

LAST_CHECK_ENTRIES = 200_000
"""Entries of views that the last check goes through."""

REMEMBERED_EVENTS = 30
"""Events kept for the text of a violation."""


class RecentEvents(Observer):
    """The last events and steps, for the text of a violation."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=REMEMBERED_EVENTS)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Keep an event."""
        accusers = f", accused by {' '.join(event.accusers)}" if event.accusers else ""
        self.lines.append(f"{self.sim.now:.3f} {node.key}: {event.kind.value} {event.member.name}{accusers}")

    def noted(self, text: str) -> None:
        """Keep something that was done from outside."""
        self.lines.append(f"{self.sim.now:.3f} {text}")


class Run:
    """One run of a plan. :attr:`sim` can be examined afterwards."""

    def __init__(self, plan: Plan, *, observers: Iterable[Observer] = (), checks: bool = True) -> None:
        """Prepare the run. Nothing happens yet.

        :param observers: further observers.
        :param checks: whether invariants are checked.
        :raises ConfigurationError: if the plan's settings are not valid, or a step names a node that does not exist.
        """
        self.plan = plan = plan.resolved()
        config = plan.config
        self._truth = Truth(plan.steps, plan.grace_s)
        self._measures = Measures(self._truth)
        self._agreement = Agreement()
        self._hash = TraceHash()
        self._sometimes = Sometimes()
        self._recent = RecentEvents()
        self._invariants: list[Invariant] = []
        if checks:
            self._invariants = [*all_invariants(), *promised(plan, self._truth)]
        self._rounds = Rounds(self._invariants)
        self._violations: list[Violation] = []
        self._completed = False
        watching: list[Observer] = [self._truth, self._agreement, self._measures, self._hash, self._sometimes]
        watching += [
            self._recent,
            *observers,
            *self._invariants,
        ]  # invariants last: all other observers see what violates one
        self.sim = Simulation(
            seed=plan.seed, config=config, link=plan.link, lateness=plan.lateness, observers=watching,
            keeps_events=False,
        )  # fmt: skip

    def run(self, progress: Callable[[float], None] = lambda _virtual_s: None) -> Outcome:
        """Do the run.

        :param progress: called once a virtual second, with the seconds that have passed.
        """
        began = time.perf_counter()
        with few_searches_for_cycles() as all_stays:
            try:
                self._begin()
                all_stays()
                while not self._violations and self.sim.now < (ends := self._ends()):
                    self.sim.run(min(CHECK_EVERY_S, ends - self.sim.now))
                    self._rounds.check_some(self.sim.running)
                    progress(self.sim.now)
                self._completed = self.sim.now >= self._ends()
                self._rounds.check_some(self.sim.running, LAST_CHECK_ENTRIES)
                self._check_outcome()
            except Violated as violated:
                self._violate(violated.invariant, str(violated))
            except Exception as error:  # noqa: BLE001 - a core must not raise anything
                place = traceback.extract_tb(error.__traceback__)[-1]
                self._violate("NothingRaises", f"{error!r} at {Path(place.filename).name}:{place.lineno}")
        return self._outcome(time.perf_counter() - began)

    def _ends(self) -> float:
        """When the run ends. Once all agree after the last fault, the run lasts only for the plan's duration."""
        plan = self.plan
        if self._agreement.since is not None and self.sim.now >= plan.faults_end:
            return plan.duration_s
        return plan.ends

    def _begin(self) -> None:
        plan, sim = self.plan, self.sim
        for disturbance in plan.shape:
            disturbance.begin(sim)
        seeds = plan.keys[: plan.seeds]
        for number, key in enumerate(plan.keys):
            sim.start(key, seeds=seeds[:number] if plan.joins else (), config=plan.config_of(number))
        if not plan.joins:
            sim.acquaint()
        for key in plan.keys:
            sim.reseed(key, seeds)
        self._agreement.start_over()
        for step in plan.steps:
            sim.at(step.at, self._step, step, "begin")
            if step.until > step.at:
                sim.at(step.until, self._step, step, "end")
        if plan.agree_within_s is not None:
            sim.at(plan.faults_end + plan.agree_within_s, self._check_agreement)

    def _step(self, step: Step, what: str) -> None:
        self.sim.note(f"{what} {step}")
        if what == "begin":
            step.begin(self.sim)
        else:
            step.end(self.sim)

    def _check_agreement(self) -> None:
        if self._agreement.since is None:
            self._violate("AllAgreeInTheEnd", _disagreement(self.sim))

    def _check_outcome(self) -> None:
        if self.plan.agree_within_s is not None and self._agreement.since is None and not self._violations:
            self._violate("AllAgreeInTheEnd", _disagreement(self.sim))
        wrongs = self._measures.false_deaths
        count = {
            "nobody": 0,
            "the healthy": wrongs.healthy_by_healthy,
            "all": wrongs.healthy_by_healthy + wrongs.healthy_by_impaired + wrongs.impaired,
        }[self.plan.spares]
        if count:
            self._violate(
                "SparesTheLiving",
                f"{counted(count, 'time')} a running member was held dead; the plan spares {self.plan.spares}",
            )

    def _violate(self, invariant: str, text: str) -> None:
        self._violations.append(
            Violation(
                invariant=invariant, seed=self.plan.seed, at=self.sim.now, nodes=self.plan.nodes, text=text,
                last_events=tuple(self._recent.lines),
            )
        )  # fmt: skip

    def _outcome(self, wall_s: float) -> Outcome:
        plan, sim, agreement = self.plan, self.sim, self._agreement
        stats = [*sim.past, *(node.protocol.stats for node in sim.nodes.values())]
        node_seconds = max(self._measures.node_seconds, 1e-9)
        heal = None
        if plan.steps and agreement.since is not None and sim.now >= plan.faults_end:
            heal = max(0.0, agreement.since - plan.faults_end)
        outcome = Outcome(
            scenario=plan.scenario, nodes=plan.nodes, seed=plan.seed, profile=plan.profile,
            virtual_s=sim.now, wall_s=wall_s, datagrams=sim.datagrams, bytes=sim.bytes,
            trace_hash=self._hash.hexdigest,
            violations=tuple(self._violations),
            completed=self._completed,
            sometimes=self._sometimes.counts(stats, sim.overflows),
            crashes=tuple(self._measures.crashes),
            updates=tuple(self._measures.updates),
            leaves=tuple(self._measures.leaves),
            joins=Joins(
                all_see_all_s=agreement.first, distinct_sizes_seen=len(agreement.sizes_seen)
            ) if plan.joins else None,
            false_deaths=self._measures.false_deaths,
            suspicions=self._measures.suspicions,
            suspicions_healthy_by_healthy=self._measures.suspicions_healthy_by_healthy,
            heal_s=heal,
            per_node_s=PerNodeSecond(
                datagrams_sent=sim.datagrams / node_seconds, bytes_sent=sim.bytes / node_seconds
            ),
        )  # fmt: skip
        return attrs.evolve(outcome, in_words=headline(plan, outcome, self._measures))


def _disagreement(sim: Simulation) -> str:
    """Members that see too much or too little, in words."""
    odd = []
    for node in sim.members:
        truth = {other.id: other.name for other in sim.members if other.cluster == node.cluster}
        seen = {entry.id: entry for entry in node.protocol.view if entry.status.is_living}
        extra = [entry.identity.name for each, entry in seen.items() if each not in truth][:5]
        lacking = [name for each, name in truth.items() if each not in seen][:5]
        if extra or lacking:
            odd.append(
                f"{node.key}" + (f" sees {extra}, which are not there" if extra else "")
                + (" and" if extra and lacking else "") + (f" does not see {lacking}" if lacking else "")
            )  # fmt: skip
    views = len({node.protocol.fingerprint for node in sim.members})
    return f"{views} different views; {'; '.join(odd[:5]) or 'all see the right members, in different versions'}"
