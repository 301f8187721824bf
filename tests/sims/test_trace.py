"""A trace tells a run line by line, and a replay tells whether the run still goes that way, and from where not."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from gossip.core.errors import ConfigurationError
from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.support.address import Address
from gossip.core.wire import Codec
from gossip.core.wire.messages import (
    DIGEST_RANGES,
    MAX_ID,
    MAX_TOKEN,
    Ack,
    Body,
    Clock,
    Digest,
    Entries,
    IndirectAck,
    Nack,
    News,
    Ping,
    PingRequest,
)
from sims.plan import Plan
from sims.reproduce import TraceWriter, replay, run_twice
from sims.reproduce.replaying import CONTEXT_LINES
from sims.running import Run
from sims.steps import FORGER, Crash, Disturb, Forge, Restart, Update
from sims.watching import kind_of
from sims.world import Link

PLAN = Plan(
    scenario="life",
    seed=2,
    nodes=5,
    link=Link(loss=0.1, corruption=0.05, duplication=0.05),
    seeds=1,
    steps=(
        Update(at=1.0, node="n1", metadata={"zone": "a"}),
        Crash(at=2.0, node="n4"),
        Disturb(at=3.0, for_s=2.0, sources=("n3",)),
        Restart(at=7.0, node="n4"),
    ),
    duration_s=9.0,
)


def trace_of(plan: Plan) -> str:
    file = io.StringIO()
    writer = TraceWriter(plan, file)
    writer.finish(Run(plan, observers=[writer]).run())
    return file.getvalue()


@pytest.fixture(scope="module")
def text() -> str:
    return trace_of(PLAN)


@pytest.fixture
def file(text: str, tmp_path: Path) -> Path:
    path = tmp_path / "trace.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def change_line(path: Path, number: int, line: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[number - 1] = line
    path.write_text("".join(lines), encoding="utf-8")


def occurrences(text: str, key: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, text.splitlines()) if key in line]


# --- what is written


def test_the_first_line_holds_the_plan_and_the_last_one_the_outcome(text: str) -> None:
    first, *_, last = map(json.loads, text.splitlines())
    outcome = Run(PLAN).run()
    assert first["trace"] == 1
    assert Plan.from_json(json.dumps(first["plan"])) == PLAN
    assert last["hash"] == outcome.trace_hash
    assert last["outcome"]["datagrams"] == outcome.datagrams


def test_every_datagram_has_a_line_with_its_fate(text: str) -> None:
    sent = occurrences(text, "sent")
    assert len(sent) == Run(PLAN).run().datagrams
    assert {each["sent"] for each in sent} >= {"PING", "ACK", "PING_REQUEST", "NACK", "NEWS"}
    assert {each["lost"] for each in sent if "lost" in each} == {"loss", "cut"}
    assert all(("lost" in each) != ("arrives" in each) for each in sent)
    assert any(len(each["arrives"]) == 2 for each in sent if "arrives" in each)
    assert any(each.get("damaged") for each in sent)
    assert all(each["arrives"][0] > each["t"] for each in sent if "arrives" in each)


def test_frames_events_starts_stops_and_steps_have_lines(text: str) -> None:
    assert {each["framed"] for each in occurrences(text, "framed")} >= {"DIGEST", "ENTRIES", "PING", "ACK"}
    assert [each["start"] for each in occurrences(text, "start")] == ["n0", "n1", "n2", "n3", "n4", "n4"]
    assert [each["stop"] for each in occurrences(text, "stop")] == ["n4"]
    notes = [each["note"] for each in occurrences(text, "note")]
    assert notes[0] == "begin Update(at=1.0, node='n1', metadata={'zone': 'a'})"
    assert len(notes) == len(PLAN.steps) + 1
    died = [each for each in occurrences(text, "event") if each["event"] == "died" and each["member"] == "n4"]
    assert all(each["accusers"] and each["floor"] for each in died)
    assert any("told_by" in each for each in died)


def test_a_forged_datagram_has_a_line_for_each_who_is_told() -> None:
    lie = Forge(at=1.0, node="n1", kind="death", told=("n2", "n3"))
    notes = [each["note"] for each in occurrences(trace_of(attrs.evolve(PLAN, steps=(lie,), duration_s=2.0)), "note")]
    assert notes[0] == f"begin {lie}"
    assert [re.sub("^[0-9]+", "N", each) for each in notes[1:]] == [
        f"N bytes are handed to {key} as if from {FORGER}" for key in lie.told
    ]


def test_times_never_go_back(text: str) -> None:
    times = [each["t"] for each in occurrences(text, "t")]
    assert times == sorted(times)


def test_the_same_run_gives_the_same_file(text: str) -> None:
    assert trace_of(PLAN) == text


def test_writing_a_trace_changes_nothing_of_the_run(text: str) -> None:
    assert json.loads(text.splitlines()[-1])["hash"] == Run(PLAN).run().trace_hash


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (Ping(MAX_TOKEN), "PING"),
        (Ack(1, Address("10.0.0.1", 1)), "ACK"),
        (PingRequest(1, MAX_ID), "PING_REQUEST"),
        (Nack(1, 1), "NACK"),
        (IndirectAck(1, MAX_ID, MAX_COUNTER), "INDIRECT_ACK"),
        (News(), "NEWS"),
        (Digest(0, MAX_ID, (1,) * DIGEST_RANGES), "DIGEST"),
        (Entries(0, MAX_ID), "ENTRIES"),
        (Clock(1), "CLOCK"),
    ],
)
def test_every_kind_of_message_is_named(body: Body, name: str) -> None:
    for number in (0, MAX_ID):
        data, _ = Codec("some cluster").encode(number, min(number, MAX_COUNTER), number, body, [], 1200)
        assert kind_of(data) == name


# --- replaying


def test_an_unchanged_run_is_the_same(file: Path, text: str) -> None:
    again = replay(file)
    assert again.is_same
    assert not again.is_truncated
    assert again.plan == PLAN
    assert again.lines == len(text.splitlines()) - 1
    assert str(again) == f"The same run: {again.lines - 1} occurrences, trace hash {again.outcome.trace_hash}."


def test_a_core_that_behaves_otherwise_is_found_out_where_it_begins(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gossip.core.state.heartbeat.FLOOR_SLACK_STEPS", 3)
    again = replay(file)
    assert not again.is_same
    difference = again.difference
    assert difference is not None
    lines = file.read_text(encoding="utf-8").splitlines()
    at = difference.line - 1
    assert difference.before == tuple(lines[at - CONTEXT_LINES : at])
    assert difference.recorded == tuple(lines[at : at + CONTEXT_LINES])
    assert len(difference.replayed) == CONTEXT_LINES
    assert difference.replayed[0] != lines[at]
    assert f"from line {difference.line} of the trace on" in str(again)
    assert f"\n  - {lines[at]}\n" in str(again)
    assert f"\n  + {difference.replayed[0]}\n" in str(again)


def test_a_run_that_stops_sooner_is_told_from_its_trace(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sims.invariants.limits.MAX_CHALLENGES", -1)
    again = replay(file)
    assert not again.outcome.is_good
    assert again.difference is not None
    assert again.difference.replayed == ()
    assert "  + nothing more" in str(again)


def test_a_run_that_goes_on_is_told_from_its_trace(text: str, tmp_path: Path) -> None:
    shorter = trace_of(attrs.evolve(PLAN, duration_s=8.0))
    path = tmp_path / "trace.jsonl"
    path.write_text(text.splitlines()[0] + "\n" + "".join(shorter.splitlines(keepends=True)[1:]), encoding="utf-8")
    again = replay(path)
    assert not again.is_same
    assert again.difference is not None
    assert again.difference.recorded == ()
    assert again.difference.line == len(shorter.splitlines())
    assert "  - nothing more" in str(again)


def test_a_difference_that_no_line_shows_is_left_to_the_hash(file: Path, text: str) -> None:
    lines = text.splitlines()
    change_line(file, len(lines), lines[-1].replace('{"hash": "', '{"hash": "0') + "\n")
    again = replay(file)
    assert not again.is_same
    assert again.difference is None
    assert "less than a microsecond" in str(again)


@pytest.mark.parametrize("letters", [0, 1, 20])
def test_a_truncated_trace_is_compared_as_far_as_it_goes(text: str, tmp_path: Path, letters: int) -> None:
    lines = text.splitlines(keepends=True)
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(lines[:100]) + lines[100][:letters], encoding="utf-8")
    again = replay(path)
    assert again.is_same
    assert again.is_truncated
    assert "as far as the trace goes: it is truncated after line 100." in str(again)
    change_line(path, 50, "{}\n")
    again = replay(path)
    assert not again.is_same
    assert again.difference is not None
    assert again.difference.line == 50


def test_a_trace_without_its_last_line_is_truncated(text: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    for cut in (len(text.splitlines(keepends=True)[-1]), 1):
        path.write_text(text[:-cut], encoding="utf-8")
        again = replay(path)
        assert (again.is_same, again.is_truncated) == (True, True)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is not a trace of a simulation"),
        (b"once upon a time\n", "is not a trace of a simulation"),
        (b"\xff\xfe\x00\x00", "is not a trace of a simulation"),
        (b"[1, 2]\n", "is not a trace of a simulation"),
        (b'{"t": 1.0}\n', "is not a trace of a simulation"),
        (b'{"trace": 1, "plan": {"scen', "ends within the plan of its trace"),
        (b'{"trace": 2, "plan": {}}\n', "is a trace of format 2; this version reads format 1 only"),
        (b'{"trace": 1, "plan": {}}\n', "this is not a plan of a simulation"),
    ],
)
def test_a_file_that_is_no_trace_is_refused(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=complaint):
        replay(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.jsonl cannot be read: No such file"):
        replay(tmp_path / "nothing.jsonl")


def test_damage_in_the_middle_is_a_difference(file: Path) -> None:
    change_line(file, 70, "\x00 not JSON\n")
    difference = replay(file).difference
    assert difference is not None
    assert difference.line == 70


def test_a_plan_runs_the_same_in_another_process() -> None:
    twice = run_twice(PLAN)
    assert twice.is_same
    assert twice.recorded_hash == Run(PLAN).run().trace_hash
