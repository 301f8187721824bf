"""A node whose wall clock is wrong: it says so, and takes part as soon as the clock is set right."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from random import Random

import attrs
import pytest

from gossip import ClockDispute, Node
from gossip.core.config import Config
from gossip.core.protocol import Protocol
from gossip.core.support.address import Address
from gossip.core.wire import Codec
from gossip.core.wire.messages import Clock
from gossip.net import SystemNetwork
from gossip.telemetry.clocks import AGAIN_AFTER_S, ClockLog, sentence
from tests.node.nodes import local_node, until

YEAR_MS = 365 * 24 * 3600 * 1000
HERE = Address("192.0.2.1", 7946)


@attrs.define
class Wrong:
    """A clock that is wrong by so much."""

    off_ms: int = 0


_clock: ContextVar[Wrong] = ContextVar("clock")


@pytest.fixture(autouse=True)
def clock_of_each_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes of one process have a clock each: the tasks of a node inherit the one that was set when it was opened."""
    right = SystemNetwork.wall_clock_ms
    monkeypatch.setattr(SystemNetwork, "wall_clock_ms", lambda network: right(network) + _clock.get(Wrong()).off_ms)


@asynccontextmanager
async def node_with(clock: Wrong, name: str, *, seeds: list[Address]) -> AsyncIterator[Node]:
    token = _clock.set(clock)
    async with local_node(name, seeds=seeds) as node:
        _clock.reset(token)
        yield node


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        each.message
        for each in caplog.records
        if each.name == "gossip.telemetry.clocks" and each.levelno == logging.WARNING
    ]


@pytest.mark.parametrize("off_ms", [2 * YEAR_MS, -2 * YEAR_MS], ids=["ahead", "behind"])
async def test_a_node_with_its_clock_years_off_says_so_and_joins_once_that_is_corrected(
    off_ms: int, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Wrong(off_ms)
    async with local_node("right") as right, node_with(clock, "wrong", seeds=[right.address]) as wrong:
        await until(lambda: wrong.clock_dispute is not None)
        dispute = wrong.clock_dispute
        assert dispute is not None
        assert dispute.refuses_us == (off_ms > 0)
        await until(lambda: any(each.startswith("'wrong': ") for each in warnings(caplog)))
        assert "2.0 years" in " ".join(each for each in warnings(caplog) if each.startswith("'wrong': "))
        clock.off_ms = 0
        await until(lambda: right.alive == wrong.alive == 2)
        await until(lambda: wrong.clock_dispute is None)
        assert set(await wrong.leave()) == {"right"}


# --- the log


@pytest.fixture
def protocol() -> Protocol:
    return Protocol(Config(), name="ada", generation=1_700_000_000_000, random=Random(1), now=0.0, address=HERE)


def refuse(protocol: Protocol, now: float) -> None:
    data, _ = Codec("default").encode(7, 1, 0, Clock(1_600_000_000_000), (), 1200)
    protocol.receive_datagram(data, HERE, now)


def test_a_refusal_is_told_once_an_hour_with_what_is_off_and_what_to_do(
    protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = ClockLog("ada", protocol)
    log.look(0.0)
    assert not caplog.messages
    for now in range(0, 3600, 30):
        refuse(protocol, float(now))
        log.look(float(now))
    (told,) = caplog.messages
    assert told == (
        "'ada': 192.0.2.1:7946 refuses this node: the node here says that it started at 2023-11-14 22:13 UTC, which is "
        "3.2 years after what its clock shows, 2020-09-13 12:26 UTC. One of the two clocks is wrong. Set it right, for "
        "example by NTP; no restart is needed"
    )
    refuse(protocol, AGAIN_AFTER_S)
    log.look(AGAIN_AFTER_S)
    assert len(caplog.messages) == 2
    log.look(AGAIN_AFTER_S + 61.0)
    assert caplog.messages[2:] == ["'ada': no clock is in dispute any more"]


def test_a_time_beyond_all_calendars_can_be_told() -> None:
    assert "9999-12-31" in sentence(ClockDispute(HERE, False, 2**62, 1_700_000_000_000, 0.0))
