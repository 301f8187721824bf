"""The log lines: one per change, with the reason, and not to be forged by a peer."""

from __future__ import annotations

import logging

import attrs
import pytest

from gossip import Address, Asked, EventKind, Explanation, Member, MembershipEvent, Stage, Status
from gossip.telemetry.events import EventLog
from gossip.telemetry.node_log import NodeLog


def event(kind: EventKind, name: str = "b", **details: object) -> MembershipEvent:
    member = Member(name, 1, 2, Address("10.0.0.1", 7946), {"role": "db"}, 3, Status.ALIVE)
    return MembershipEvent(kind, member, 4, 0.0, **details)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (event(EventKind.JOINED), "'b' joined at 10.0.0.1:7946"),
        (event(EventKind.UPDATED), "'b' is now version 3 at 10.0.0.1:7946, {'role': 'db'}"),
        (
            event(EventKind.SUSPECTED, accusers=("a",), floor=70, silent_for=1.26),
            "'b' is suspected, silent for 1.3 s, accused by 'a', floor 70",
        ),
        (event(EventKind.RESTORED, previous=Status.DEAD), "'b' is restored, was dead"),
        (
            event(EventKind.DIED, accusers=("a", "c"), floor=70, silent_for=3.0),
            "'b' died, silent for 3.0 s, accused by 'a', 'c', floor 70",
        ),
        (event(EventKind.LEFT, previous=Status.ALIVE), "'b' left, was alive"),
        (event(EventKind.CONFLICT), "two processes use the name 'b', one of them at 10.0.0.1:7946"),
    ],
)
def test_each_change_is_described_with_its_reason(change: MembershipEvent, text: str) -> None:
    assert str(change) == f"{text}, 4 alive"
    assert repr(change) == f"<MembershipEvent {text}, 4 alive>"


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        ([], "'b' died, not probed from here"),
        ([False], "'b' died, probes unanswered: 1"),
        ([False, True], "'b' died, probes refused by its system: 1 of 2"),
    ],
)
def test_a_death_is_described_with_what_was_found_out_about_it(refused: list[bool], text: str) -> None:
    asked = tuple(Asked("last probe", 0.0, 0.5, 1, "10.0.0.1:7946", refused=each) for each in refused)
    change = event(EventKind.DIED)
    why = Explanation(
        change.member, "a", 1.0, Stage.NOT_PROBED, Stage.UNSUSPECTED, None, 1, 1.0, 2, (), None, asked, ()
    )
    assert str(attrs.evolve(change, explanation=why)) == f"{text}, 4 alive"


def test_every_kind_has_a_level_and_a_description(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gossip")
    for kind in EventKind:
        EventLog("a").event(event(kind))
    assert len(caplog.records) == len(EventKind)
    assert {record.levelno for record in caplog.records} == {logging.INFO, logging.WARNING}
    assert all(record.name.startswith("gossip.") for record in caplog.records)


def test_a_name_cannot_forge_a_line() -> None:
    assert "\n" not in str(event(EventKind.JOINED, name="b\n2026-01-01 WARNING 'c' died"))


def test_a_line_begins_with_the_name_of_its_node_whatever_letters_that_has(caplog: pytest.LogCaptureFixture) -> None:
    log = NodeLog("gossip.test", "50%s\n")
    log.warning("%d of %s", 1, "two")
    log.warning("nothing to fill in")
    assert caplog.messages == ["'50%s\\n': 1 of two", "'50%s\\n': nothing to fill in"]
