"""What agents tell of each other when one is killed, frozen, restarted or asked to leave."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import trio

from gossip.cli import steps
from gossip.cli.cluster import NEWS_LIMIT_S
from tests.agents.helpers import cluster_of

BASE_FIELDS = {"event", "name", "address", "generation", "time"}
STARTED_FIELDS = BASE_FIELDS | {"standing"}
EVENT_FIELDS = BASE_FIELDS | {"status", "metadata", "alive"}
DIED_FIELDS = EVENT_FIELDS | {"accusers", "silent_for"}
STANDING_FIELDS = EVENT_FIELDS | {"standing", "why"}


async def test_every_agent_sees_every_other_join(tmp_path: Path) -> None:
    async with cluster_of(4, tmp_path) as cluster:
        for name in cluster.names:
            joined = {s.subject for s in cluster.journal.after(0, "joined") if s.observer == name}
            assert joined >= set(cluster.names) - {name}
        assert not cluster.journal.after(0, "suspected", "died", "conflict")


async def test_json_output_has_exactly_the_documented_fields(tmp_path: Path) -> None:
    async with cluster_of(3, tmp_path) as cluster:
        before = time.time()
        await steps.crash(cluster, "a3")
        agent = cluster.current["a1"]
        started, *events = [json.loads(line) for line in agent.lines]
        assert set(started) == STARTED_FIELDS
        assert started["event"] == "started"
        assert (started["name"], started["address"]) == ("a1", agent.address)
        assert isinstance(started["generation"], int)
        assert {event["event"] for event in events} >= {"joined", "died"}
        for event in events:
            more = {"died": DIED_FIELDS, "standing": STANDING_FIELDS}
            assert set(event) == more.get(event["event"], EVENT_FIELDS)
        (died,) = [event for event in events if event["event"] == "died"]
        assert (died["event"], died["name"], died["status"]) == ("died", "a3", "dead")
        assert died["address"] == cluster.current["a3"].address
        assert died["metadata"] == {"release": "1"}
        assert died["alive"] == 2
        assert before <= died["time"] <= time.time()


async def test_a_killed_member_is_dead_for_all_others_who_know_why(tmp_path: Path) -> None:
    async with cluster_of(4, tmp_path) as cluster:
        await steps.crash(cluster, "a4")
        died = cluster.journal.after(0, "died")
        assert {s.observer for s in died} == {"a1", "a2", "a3"}
        for sighting in died:
            assert sighting.subject == "a4"
            assert set(sighting.event["accusers"]) <= {"a1", "a2", "a3"}
            assert sighting.event["accusers"]
            assert 0 < sighting.event["silent_for"] < cluster.detection_limit_s


async def test_a_short_freeze_is_forgiven(tmp_path: Path) -> None:
    async with cluster_of(4, tmp_path) as cluster:
        cluster.current["a3"].send(signal.SIGSTOP)
        await trio.sleep(steps.SHORT_FREEZE_S["local"])  # the length of the freeze is what is tested
        cluster.current["a3"].send(signal.SIGCONT)
        await trio.sleep(2 * cluster.quiet_s)  # and then that nothing happens
        await cluster.agreed(NEWS_LIMIT_S)
        assert not cluster.journal.after(0, "died")


async def test_a_long_freeze_is_death_and_waking_is_resurrection(tmp_path: Path) -> None:
    async with cluster_of(4, tmp_path) as cluster:
        frozen = cluster.current["a3"]
        frozen.send(signal.SIGSTOP)
        others = cluster.running(without="a3")
        await cluster.noticed(
            others, lambda s: s.kind == "died" and s.subject == "a3", 0, cluster.detection_limit_s, "a3 died"
        )
        awake = len(cluster.journal.sightings)
        frozen.send(signal.SIGCONT)
        await cluster.noticed(
            others, lambda s: s.kind == "restored" and s.subject == "a3", awake, NEWS_LIMIT_S, "a3 is back"
        )
        await cluster.agreed(NEWS_LIMIT_S)
        await trio.sleep(2 * cluster.quiet_s)  # it accuses nobody later either
        assert not steps.accused_by(cluster.journal, "a3", awake)
        assert not cluster.journal.after(awake, "died")
        generations = {s.event["generation"] for s in cluster.journal.sightings if s.subject == "a3"}
        assert len(generations) == 1, "it is the same process as before"


async def test_a_restart_is_a_higher_generation_of_the_same_name(tmp_path: Path) -> None:
    async with cluster_of(4, tmp_path) as cluster:
        await steps.crash(cluster, "a4")
        first = cluster.current["a4"]
        await steps.restart(cluster, "a4")
        second = cluster.current["a4"]
        assert second.address == first.address
        generations = [json.loads(agent.lines[0])["generation"] for agent in (first, second)]
        assert generations[0] < generations[1]
        assert not cluster.journal.after(0, "conflict")


async def test_a_restart_is_noticed_before_the_crash_was(tmp_path: Path) -> None:
    async with cluster_of(4, tmp_path) as cluster:
        cluster.current["a4"].send(signal.SIGKILL)
        await cluster.current["a4"].process.wait()
        await steps.restart(cluster, "a4")
        for name in ("a1", "a2", "a3"):
            assert cluster.journal.belief(name, "a4") == "alive"


async def test_a_member_that_leaves_is_known_to_have_left(tmp_path: Path) -> None:
    async with cluster_of(4, tmp_path) as cluster:
        leaving = cluster.current["a2"]
        began = time.monotonic()
        await steps.leave(cluster, "a2")
        assert leaving.returncode == 0
        assert time.monotonic() - began < steps.EXIT_LIMIT_S
        left = [s for s in cluster.journal.after(0, "left") if s.subject == "a2" and s.observer != "a2"]
        assert {s.observer for s in left} == {"a1", "a3", "a4"}
        assert all(s.event["status"] == "left" and s.event["alive"] == 3 for s in left)
        await trio.sleep(cluster.quiet_s)
        assert not cluster.journal.after(0, "died")


async def test_all_leave_at_once(tmp_path: Path) -> None:
    async with cluster_of(4, tmp_path) as cluster:
        cluster.ended.update(cluster.names)
        agents = list(cluster.current.values())
        for agent in agents:
            agent.send(signal.SIGINT)
        await cluster.until(
            lambda: all(agent.returncode is not None for agent in agents),
            steps.EXIT_LIMIT_S,
            lambda: "some did not exit",
        )
        assert [agent.returncode for agent in agents] == [0, 0, 0, 0]
