"""Promises of a plan: invariants that hold only if the network and the processes are good enough."""

from __future__ import annotations

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.hearing import HEARING_S
from gossip.core.support.address import Address

from ..plan import Plan
from ..steps import Disturb
from ..watching import Truth
from ..world import SimulatedNode
from .base import Invariant


class NobodyHealthyIsSuspected(Invariant):
    """No healthy member is accused. Only members that were cut off may accuse one wrongly; members that were paused may
    not."""

    def __init__(self, plan: Plan, truth: Truth) -> None:
        self._truth = truth
        self._cuts = Truth([step for step in plan.steps if isinstance(step, Disturb)], plan.grace_s)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Check who is accused, and who accuses."""
        if event.kind is not EventKind.SUSPECTED or event.member.id in self.sim.tainted:
            return
        now, wronged = self.sim.now, self._truth.member(event.member.id)
        if wronged is None or self._truth.is_impaired(wronged.key, now):
            return
        if not any(self._cuts.is_impaired(each, now) for each in event.accusers):
            raise self.violated(f"{node.key} suspects {wronged.key}, accused by {', '.join(event.accusers)}")


class FloorsAreFair(Invariant):
    """An accuser asks a member that hears others for no more than a counter that the member shows by then."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """Compare the floor of a node's own accusation with the counter."""
        entry = node.view.get(event.member.id)
        accused = self._truth.holder(event.member.id)
        if entry is None or accused is None or event.kind is not EventKind.SUSPECTED or cause is not None:
            return
        if node.id not in entry.accusers or accused.id in self.sim.tainted:
            return
        protocol, now = accused.protocol, accused.local_time(self.sim.now)
        if now > protocol.last_heard + HEARING_S:
            return
        shown = max(protocol.heartbeat(now), entry.registers.heartbeat + 1)
        if event.floor > shown:
            raise self.violated(
                f"{node.key} accuses {accused.key} at floor {event.floor}, but {accused.key} can show only {shown}"
            )


class KnownInTime(Invariant):
    """When a member has ended, with a farewell or without, no member that was healthy all the time believes it living
    for longer than so many seconds. And its farewell was acknowledged."""

    def __init__(self, truth: Truth, within_s: float) -> None:
        self._truth = truth
        self._within_s = within_s

    def stopped(self, node: SimulatedNode) -> None:
        """All members that know the node must learn of its end."""
        protocol, now = node.protocol, self.sim.now
        if node.id in self.sim.tainted:
            return
        has_left = node.entry.registers.left > 0
        if has_left and not (protocol.farewell_done or self._truth.is_impaired(node.key, now)):
            raise self.violated(
                f"{node.key} ended, and only {protocol.farewell_acknowledged_by} acknowledged its farewell"
            )
        knowing = [each for each in self.sim.members if each.view.get(node.id) is not None]
        self.sim.at(now + self._within_s, self._look, node, node.id, knowing, now)

    def _look(self, ended: SimulatedNode, member_id: int, knowing: list[SimulatedNode], since: float) -> None:
        for node in knowing:
            entry = node.view.get(member_id)
            if not node.is_member or entry is None or not entry.status.is_living:
                continue
            if not self._truth.was_impaired(node.key, since, self.sim.now):
                raise self.violated(
                    f"{node.key} still believes {ended.key} {entry.status.value}, which ended at {since:.3f} s"
                )


def promised(plan: Plan, truth: Truth) -> list[Invariant]:
    """A fresh instance of each invariant that this plan promises."""
    invariants: list[Invariant] = []
    if not plan.suspects_the_healthy:
        invariants += [NobodyHealthyIsSuspected(plan, truth), FloorsAreFair(truth)]
    if plan.known_within_s is not None:
        invariants.append(KnownInTime(truth, plan.known_within_s))
    return invariants
