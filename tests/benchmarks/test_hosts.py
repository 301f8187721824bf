"""What every host of the benchmarks does, whatever system it runs.

Each cluster has three nodes in one host. Nothing here depends on how fast a system is, as long as it is done within
``PATIENCE_S``.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import attrs
import pytest

from benchmarks.environment import hosts
from benchmarks.environment.builds import Unavailable
from benchmarks.environment.measuring import MeasurementFailed
from benchmarks.sockets.systems import SYSTEMS, System
from tests.rst import ROOT

PATIENCE_S = 30.0
"""For one thing to happen. swim-protocol takes some ten seconds for a crash."""

HANGS_AFTER_S = 100.0

NAMES = ("n0", "n1", "n2")

Reply = dict[str, Any]


@attrs.frozen
class Host:
    """A host at work."""

    process: subprocess.Popen[str]

    def ask(self, do: str, **further: Any) -> Reply:
        """One line there, one line back."""
        return self.say(json.dumps({"do": do, **further}))

    def say(self, line: str) -> Reply:
        """One line there, as it is, and one line back."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        assert reply, "the host has ended or hangs"
        told: Reply = json.loads(reply)
        return told

    def end_input(self) -> int:
        """Close the host's input; what it exits with."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(PATIENCE_S)


@attrs.frozen
class Cluster:
    """Three nodes in one host, and what is asked of them."""

    host: Host
    addresses: Mapping[str, str]

    def start(self, *names: str, value: str = "v0") -> Reply:
        """Start some of the nodes; the first of all is the seed."""
        nodes = [{"name": name, "address": self.addresses[name], "value": value} for name in names]
        return self.host.ask("start", nodes=nodes, seeds=[self.addresses[NAMES[0]]])

    def expect(self, observers: Iterable[str], **see: Any) -> None:
        """Look out for something."""
        assert set(self.host.ask("expect", nodes=list(observers), see=see)) == {"at"}

    def all_see_it(self, since: float) -> None:
        """Wait for it; nobody saw it before it happened."""
        told = self.host.ask("await", seconds=PATIENCE_S)
        assert told["missing"] == []
        assert all(at >= since for at in told["seen"].values())

    def start_all(self) -> None:
        """Start all nodes, and wait until each sees all."""
        self.expect(NAMES, alive=len(NAMES))
        self.all_see_it(since=self.start(*NAMES)["at"])


def _system(name: str) -> System:
    try:
        return SYSTEMS[name]()
    except Unavailable as reason:
        pytest.skip(str(reason))


PEERS = ("memberlist-lan", "swim-protocol")


@pytest.fixture(params=["ours", *(pytest.param(peer, marks=pytest.mark.benchmark) for peer in PEERS)])
def system(request: pytest.FixtureRequest) -> System:
    return _system(request.param)


@pytest.fixture
def host(system: System) -> Iterator[Host]:
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                system.command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(process.kill)
        watchdog = threading.Timer(HANGS_AFTER_S, process.kill)
        watchdog.start()
        stack.callback(watchdog.cancel)
        yield Host(process)


@pytest.fixture
def cluster(host: Host) -> Cluster:
    return Cluster(host, {name: f"127.77.0.{number}:{_free_port()}" for number, name in enumerate(NAMES, start=1)})


def _free_port() -> int:
    """A port that no test running at the same time is likely to take: not one that the system hands out."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("0.0.0.0", port))
                udp.bind(("0.0.0.0", port))
            except OSError:
                continue
        return port


def test_update_is_seen(cluster: Cluster) -> None:
    cluster.start_all()
    cluster.expect(NAMES, who="n1", value="v1")
    cluster.all_see_it(since=cluster.host.ask("update", node="n1", value="v1")["at"])
    # What is so already is seen at once.
    cluster.expect(NAMES, who="n1", value="v1")
    assert cluster.host.ask("await", seconds=0)["missing"] == []
    # One expectation takes the place of the other.
    cluster.expect(["n0"], who="n1", value="v2")
    assert cluster.host.ask("await", seconds=0.01) == {"seen": {}, "missing": ["n0"]}


def test_crash_is_a_death_and_the_name_starts_again(cluster: Cluster) -> None:
    cluster.start_all()
    cluster.host.ask("reset")
    cluster.expect(["n0", "n2"], who="n1", gone=True)
    crash = cluster.host.ask("crash", node="n1")["at"]
    cluster.all_see_it(since=crash)
    report = cluster.host.ask("report")
    assert set(report) == {"sizes", "deaths", "suspicions"}
    assert report["sizes"] == [2, 3]
    assert {(observer, who) for observer, who, _ in report["deaths"]} == {("n0", "n1"), ("n2", "n1")}
    assert all(at >= crash for _, _, at in report["deaths"])
    assert report["suspicions"] is None or report["suspicions"] >= 1
    cluster.host.ask("reset")
    assert cluster.host.ask("report")["deaths"] == []
    cluster.expect(NAMES, who="n1", value="v9")
    cluster.all_see_it(since=cluster.start("n1", value="v9")["at"])


def test_leave_is_no_death(cluster: Cluster, system: System) -> None:
    if system.name == "swim-protocol":  # has no farewell
        cluster.start("n0")
        assert set(cluster.host.ask("leave", node="n0")) == {"error"}
        return
    cluster.start_all()
    cluster.host.ask("reset")
    cluster.expect(["n0", "n2"], who="n1", gone=True)
    cluster.all_see_it(since=cluster.host.ask("leave", node="n1")["at"])
    assert cluster.host.ask("report")["deaths"] == []


def test_what_makes_no_sense_is_an_error(cluster: Cluster) -> None:
    for line in ('{"do": "dance"}', "{}", "[]", "no JSON", '{"do": "await", "seconds": 1}'):
        assert set(cluster.host.say(line)) == {"error"}
    for do in ("update", "crash", "leave"):
        further = {"value": "v1"} if do == "update" else {}
        assert set(cluster.host.ask(do, node="n7", **further)) == {"error"}
    assert set(cluster.host.ask("expect", nodes=["n0"], see={"who": "n1"})) == {"error"}
    assert set(cluster.start("n0")) == {"at"}
    assert set(cluster.start("n0")) == {"error"}


def test_end_of_input_ends_the_host(cluster: Cluster) -> None:
    cluster.start("n0")
    assert cluster.host.end_input() == 0


def test_end_of_input_ends_a_wait(cluster: Cluster) -> None:
    assert cluster.host.process.stdin is not None
    cluster.expect(NAMES, alive=len(NAMES))
    cluster.host.process.stdin.write('{"do": "await", "seconds": 1000}\n')
    assert cluster.host.end_input() == 0


@pytest.mark.benchmark  # a compiler is at work, and an environment is made
@pytest.mark.parametrize("name", ["memberlist-lan", "memberlist-local", "memberlist-matched", "swim-protocol"])
def test_every_peer_says_what_it_is(name: str) -> None:
    system = _system(name)
    assert system.name == name
    assert any(letter.isdigit() for letter in system.what)


@pytest.mark.benchmark
def test_matched_memberlist_differs_by_one_setting() -> None:
    lan, matched = _system("memberlist-lan"), _system("memberlist-matched")
    assert matched.command == (*lan.command, "-gossip-interval", "20ms")


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="no Go compiler; apt-get install golang-go"):
        SYSTEMS["memberlist-lan"]()


# --- the benchmark's side


async def test_a_reply_may_be_as_long_as_a_report_of_very_many_deaths() -> None:
    told = "input(); print(json.dumps({'deaths': [['n1', 'n2', 123456.123456]] * 100_000}), flush=True); input()"
    async with hosts.open_host([sys.executable, "-c", f"import json; {told}"]) as host:
        assert len((await host.ask("report"))["deaths"]) == 100_000


async def test_a_host_that_ends_is_a_failure_with_its_last_words() -> None:
    async with hosts.open_host([sys.executable, "-c", "import sys; input(); sys.exit('no more')"]) as host:
        with pytest.raises(MeasurementFailed, match="no more"):
            await host.ask("report")
