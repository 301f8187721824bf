"""What agents write, as pure functions: escapes, and the events that a reader who fell behind is told."""

from __future__ import annotations

import json
import re

import attrs
import pytest

from gossip import Asked, Explanation, Key, Keyring, Snapshot, Stage, Told
from gossip.cli.agent.metadata import MetadataError, parse_file_text, parse_pairs
from gossip.cli.agent.told import changes_between
from gossip.cli.rendering import clock, event_text, keys_json_line, printable, snapshot_text, started_text
from gossip.core.events import EventKind, MembershipEvent
from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import NodeStanding, Standing
from gossip.core.support.address import Address
from gossip.json_forms import event_json_line, member_json, snapshot_json_line, started_json_line
from tests.rst import document, table

AGENT = document("docs/agent.rst")
BOUND = Address("0.0.0.0", 7946)


def member(name: str, status: Status = Status.ALIVE, *, generation: int = 1, version: int = 1) -> Member:
    return Member(
        name=name,
        generation=generation,
        id=7,
        address=Address("127.0.0.1", 1),
        metadata={},
        version=version,
        status=status,
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("zwölf Boxkämpfer", "zwölf Boxkämpfer"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[2J", "\\x1b[2J"),
        ("turned\u202eround", "turned\\u202eround"),
        ("\U000e0001", "\\U000e0001"),
        ("\udcff", "\\udcff"),
    ],
)
def test_whatever_does_not_print_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("kind", [EventKind.SUSPECTED, EventKind.DIED])
def test_whoever_is_accused_is_told_with_the_accusers_and_its_silence(kind: EventKind) -> None:
    event = MembershipEvent(kind, member("m", Status.SUSPECT), 2, 5.0, Status.ALIVE, ("a", "b"), 17, 0.98765)
    told = json.loads(event_json_line(event, 100.0))
    assert told["event"] == kind.value
    assert told["accusers"] == ["a", "b"]
    assert told["silent_for"] == 0.988
    assert "accused by a, b; silent for 1.0 s" in event_text(event, 100.0)


def test_a_death_is_told_with_its_explanation_in_seconds_before_the_event() -> None:
    asked = Asked("last probe", 103.0, 103.5, 2, "127.0.0.1:1", ("b",), ("b",), True, True, False)
    why = Explanation(
        member("m", Status.DEAD), "a", 104.0, Stage.NOT_PROBED, Stage.UNSUSPECTED, 102.75, 50, 1.25, 110, ("a",), None,
        (asked,), (Told(103.25, "b", ("a", "b"), 50), Told(104.0, "a", ("a",), 110, True)),
    )  # fmt: skip
    event = MembershipEvent(EventKind.DIED, member("m", Status.DEAD), 2, 104.0, explanation=why)
    assert json.loads(event_json_line(event, 1000.0))["explanation"] == {
        "node": "a",
        "probing": "not probed",
        "suspicion": "unsuspected",
        "since": -1.25,
        "counter": 50,
        "silent_for": 1.25,
        "floor": 110,
        "accusers": ["a"],
        "deadline": None,
        "asked": [
            {
                "reason": "last probe",
                "began": -1.0,
                "ended": -0.5,
                "pings": 2,
                "address": "127.0.0.1:1",
                "helpers": ["b"],
                "nacks": ["b"],
                "over_stream": True,
                "refused": True,
                "alone": False,
                "unheard": False,
            }
        ],
        "told": [
            {"at": -0.75, "by": "b", "accusers": ["a", "b"], "floor": 50, "is_conviction": False},
            {"at": 0.0, "by": "a", "accusers": ["a"], "floor": 110, "is_conviction": True},
        ],
    }


@pytest.mark.parametrize("kind", EventKind)
def test_a_line_about_a_member_has_the_fields_that_the_document_says(kind: EventKind) -> None:
    own = NodeStanding(Standing.ISOLATED, 3.0, "why") if kind is EventKind.STANDING else None
    told = json.loads(event_json_line(MembershipEvent(kind, member("m"), 2, 5.0, standing=own), 100.0))
    (row,) = [row for row in table(AGENT, "Lines") if f"``{kind.value}``" in row[0]]
    fields = set(re.findall(r"``(\w+)``", row[2]))
    extra = (
        fields - {"alive", "previous"} if kind in (EventKind.SUSPECTED, EventKind.DIED, EventKind.STANDING) else set()
    )
    of_a_member = set(member_json(member("m")))
    assert set(told) == {"event", "time", "alive", "previous"} | of_a_member | extra


def test_the_other_lines_have_the_fields_that_the_document_says() -> None:
    own = NodeStanding(Standing.CONNECTED, 3.0, "because")
    local, ring = member("m"), Keyring.of(Key.generate())
    lines = [
        started_json_line(local, BOUND, own, 100.0),
        snapshot_json_line(local, BOUND, Snapshot((local,), own), 100.0),
        keys_json_line("m", ring, 100.0),
    ]
    for line in map(json.loads, lines):
        (row,) = [row for row in table(AGENT, "Lines") if row[0] == f"``{line['event']}``"]
        assert set(line) == {"event", "time"} | set(re.findall(r"``(\w+)``", row[2]))
    assert json.loads(lines[0])["why"] == "because"


def test_an_agent_that_has_started_tells_all_that_is_told_of_a_member() -> None:
    local = attrs.evolve(member("m", version=3), metadata={"role": "db"})
    line = json.loads(started_json_line(local, BOUND, NodeStanding(Standing.JOINING, 0.0, "it looks"), 100.0))
    assert {field: line[field] for field in member_json(local)} == member_json(local)
    assert (line["version"], line["status"], line["metadata"]) == (3, "alive", {"role": "db"})


def test_an_address_that_is_not_known_yet_is_none_and_not_the_one_that_is_bound() -> None:
    own = NodeStanding(Standing.CONNECTED, 3.0, "because")
    lone = attrs.evolve(member("m"), address=Address("0.0.0.0", 0))
    snapshot = Snapshot((lone,), own)
    started, told = (
        json.loads(started_json_line(lone, BOUND, own, 100.0)),
        json.loads(snapshot_json_line(lone, BOUND, snapshot, 100.0)),
    )
    for line in (started, told):
        assert (line["address"], line["bound"]) == (None, "0.0.0.0:7946")
    assert told["members"][0]["address"] is None
    event = MembershipEvent(EventKind.STANDING, lone, 1, 5.0, standing=own)
    assert json.loads(event_json_line(event, 100.0))["address"] is None
    for text in (started_text(lone, BOUND, own, 100.0), snapshot_text(lone, BOUND, snapshot, 100.0)):
        assert "m bound to 0.0.0.0:7946 (it does not know its address yet: others will tell it)" in text
        assert "0.0.0.0:0" not in text
    assert "m (its address is not known yet; connected: because)" in event_text(event, 100.0)


def test_every_field_of_a_line_is_in_its_table_and_the_id_is_text() -> None:
    described = {row[0].strip("`") for row in table(AGENT, "Fields")}
    assert described >= set(member_json(member("m"))) | {
        "alive",
        "previous",
        "accusers",
        "silent_for",
        "members",
        "why",
        "bound",
    }
    assert member_json(member("m"))["id"] == f"{member('m').id:016x}"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, member("m"), [EventKind.JOINED]),
        (None, member("m", Status.SUSPECT), [EventKind.JOINED, EventKind.SUSPECTED]),
        (None, member("m", Status.DEAD), [EventKind.DIED]),
        (None, member("m", Status.LEFT), [EventKind.LEFT]),
        (member("m"), member("m"), []),
        (member("m"), member("m", version=2), [EventKind.UPDATED]),
        (member("m"), member("m", Status.DEAD), [EventKind.DIED]),
        (member("m", Status.DEAD), member("m"), [EventKind.RESTORED]),
        (member("m", Status.SUSPECT), member("m", version=2), [EventKind.UPDATED, EventKind.RESTORED]),
        (member("m"), member("m", generation=2), [EventKind.JOINED]),
        (member("m", Status.DEAD), member("m", generation=2), [EventKind.JOINED]),
        (member("m"), member("m", Status.LEFT, generation=2), [EventKind.LEFT]),
        (member("m"), member("n"), [EventKind.FORGOTTEN]),
        (member("m", Status.LEFT), member("n"), [EventKind.FORGOTTEN]),
        (member("m"), member("m", Status.DISPLACED), [EventKind.FORGOTTEN]),
    ],
)
def test_a_snapshot_is_told_as_the_changes_that_lead_to_it(
    before: Member | None, after: Member, told: list[EventKind]
) -> None:
    known = {} if before is None else {"m": before}
    events = list(changes_between(known, [after, member("other")], 5.0))
    about = [event for event in events if event.member.name == "m"]
    assert [event.kind for event in about] == told
    assert all(event.alive == 1 + after.status.is_living for event in events)
    assert all(event.time == 5.0 for event in events)


def test_metadata_values_may_hold_equals_signs_and_nothing() -> None:
    assert parse_pairs(["a=b=c", "empty="]) == {"a": "b=c", "empty": ""}


@pytest.mark.parametrize("pairs", [["a"], ["=b"], ["a=1", "a=1"]])
def test_metadata_that_is_ambiguous_is_refused(pairs: list[str]) -> None:
    with pytest.raises(MetadataError):
        parse_pairs(pairs)


def test_a_metadata_file_is_lines_or_json() -> None:
    assert parse_file_text("# about\n\na=1\n  b = 2 \n") == {"a": "1", "b": "2"}
    assert parse_file_text(' {"a": "1"}') == {"a": "1"}
    assert parse_file_text("") == {}
    for wrong in ('{"a": 1}', "{", '{"a": "1"} x', "{" * 60_000, '{"a":' * 10_000):
        with pytest.raises(MetadataError):
            parse_file_text(wrong)


def test_a_time_that_no_calendar_has_is_no_error() -> None:
    assert clock(2**62 / 1000, with_date=True) == "?"
    assert len(clock(0.5)) == len("00:00:00.000")
