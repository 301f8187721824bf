"""Microbenchmarks: each operation does what its name says, however often, and its time and memory are told."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from benchmarks.core.micro import (
    MEMBERS,
    MEMBERS_TO_TELL_OF,
    OPERATIONS,
    Operation,
    allocations,
    main,
    micro,
    operation,
    seconds,
)
from benchmarks.environment.measuring import MeasurementFailed
from gossip.core.belief import Verdict
from gossip.core.config import Config
from gossip.core.state.entry import Change
from gossip.core.wire import Codec
from gossip.core.wire.messages import Ack, AliveFact, Message, News, Ping

TIMES = 5
CODEC = Codec(Config.lan().cluster)


def _results(wanted: Operation, times: int = TIMES) -> list[Any]:
    results = []
    for arguments in wanted.prepare(times):
        results.append(wanted.act(*arguments))
        if wanted.settle is not None:
            wanted.settle(results[-1])
    return results


def _done(name: str) -> list[Any]:
    """What the calls of a new operation return."""
    return _results(OPERATIONS[name][1]())


def test_a_ping_is_encoded() -> None:
    assert {type(CODEC.decode(data).body) for data, _ in _done("encode a ping")} == {Ping}


def test_a_full_datagram_is_encoded() -> None:
    for data, fitting in _done("encode a datagram full of records"):
        record_bytes = len(data) / fitting
        assert Config.lan().max_datagram - record_bytes < len(data) <= Config.lan().max_datagram
        assert fitting == len(CODEC.decode(data).facts) < MEMBERS_TO_TELL_OF


@pytest.mark.parametrize(("name", "body"), [("decode a ping", Ping), ("decode a datagram full of records", News)])
def test_messages_are_decoded(name: str, body: type) -> None:
    for message in _done(name):
        assert isinstance(message, Message)
        assert isinstance(message.body, body)


def test_an_alive_fact_moves_the_counter_only() -> None:
    wanted = OPERATIONS["merge an alive fact"][1]()
    arguments = [each for _ in range(TIMES) for each in wanted.prepare(MEMBERS)]
    assert {wanted.act(*each) for each in arguments} == {Verdict.KNOWN}
    ((fact, now),) = wanted.prepare(1)
    assert isinstance(fact, AliveFact)
    wanted.act(fact, now)
    assert wanted.act(fact, now) is Verdict.KNOWN


def test_a_record_fact_is_news_each_time() -> None:
    changes = _results(OPERATIONS["merge a record fact"][1](), 2 * MEMBERS)
    assert all(isinstance(change, Change) and change.updated for change in changes)
    assert len({change.entry.id for change in changes}) == MEMBERS - 1


def test_each_round_asks_one_member() -> None:
    for _, datagrams in _done("a round, one member asked"):
        ((data, _),) = datagrams
        assert isinstance(CODEC.decode(data).body, Ping)


def test_each_ping_is_answered() -> None:
    for datagrams in _done("a ping received and answered"):
        ((data, _),) = datagrams
        assert isinstance(CODEC.decode(data).body, Ack)


@pytest.mark.parametrize("name", ["decode a ping", "a round, one member asked"])
def test_time_is_found_again_and_again(name: str) -> None:
    assert seconds(name, TIMES) > 0
    assert seconds(name, TIMES) > 0
    assert operation(name) is operation(name)


def test_memory_is_found() -> None:
    allocated, kept = allocations("a ping received and answered", TIMES)
    assert allocated > kept > 0


def test_what_an_operation_returns_is_kept() -> None:
    _, kept = allocations("encode a datagram full of records", TIMES)
    assert kept > Config.lan().max_datagram - 100


def test_without_pyperf_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyperf", None)
    with pytest.raises(MeasurementFailed, match=r"pip install 'gossip-membership\[bench\]'"):
        micro(quick=True, step=lambda _what: None)
    with pytest.raises(SystemExit, match=r"pip install 'gossip-membership\[bench\]'"):
        main()


@pytest.mark.benchmark
def test_all_operations_are_measured() -> None:
    pytest.importorskip("pyperf", reason="the extra bench is not installed")
    steps: list[str] = []
    samples = micro(quick=True, step=steps.append)
    assert [each.setting for each in samples] == list(OPERATIONS)
    assert len(steps) == len(OPERATIONS) + 1
    for each in samples:
        assert set(each.numbers) == {"median_us", "stdev_us", "allocated_bytes", "kept_bytes"}
        assert each.numbers["median_us"]
        assert each.nodes in (0, MEMBERS)
