"""What agents tell of each other when one is killed, frozen, restarted or asked to leave.

Two clusters live through it all, one thing after the other; what their agents said is looked at by many tests.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from gossip.cli.demo import steps
from gossip.cli.demo.cluster import NEWS_LIMIT_S, Cluster
from gossip.cli.demo.journal import Sighting
from tests.agents.helpers import cluster_of

BASE_FIELDS = {"event", "name", "id", "address", "generation", "time"}
STARTED_FIELDS = BASE_FIELDS | {"version", "status", "metadata", "bound", "standing", "why"}
EVENT_FIELDS = BASE_FIELDS | {"version", "status", "previous", "metadata", "alive"}
SUSPECTED_FIELDS = EVENT_FIELDS | {"accusers", "silent_for"}
DIED_FIELDS = SUSPECTED_FIELDS | {"explanation"}
STANDING_FIELDS = EVENT_FIELDS | {"standing", "why"}


@attrs.define
class Story:
    """What happened in a cluster, chapter by chapter."""

    cluster: Cluster
    began: dict[str, int] = attrs.Factory(dict)
    """Position in the journal at which each chapter begins, in order."""
    times: dict[str, float] = attrs.Factory(dict)
    """When each chapter began, by the clock of :func:`time.time`."""

    def chapter(self, title: str) -> None:
        """What is told from now on belongs to this."""
        self.began[title] = len(self.cluster.journal.sightings)
        self.times[title] = time.time()

    def told(self, title: str, *kinds: str) -> list[Sighting]:
        """What was told of these kinds in one chapter."""
        ends = iter([*self.began.values(), len(self.cluster.journal.sightings)][1:])
        spans = {each: slice(since, next(ends)) for each, since in self.began.items()}
        return [each for each in self.cluster.journal.sightings[spans[title]] if each.kind in kinds]

    def processes_of(self, name: str) -> list[dict[str, Any]]:
        """What each process of a name told of its start, in order."""
        return [json.loads(agent.lines[0]) for agent in self.cluster.pool.agents if agent.name == name]


async def live_and_die(folder: Path) -> Story:
    """Agents join; a4 is killed, started again, killed and started at once; a2 leaves; all others leave together."""
    async with cluster_of(4, folder) as cluster:
        story = Story(cluster, {"joining": 0})
        story.chapter("crash")
        await steps.crash(cluster, "a4")
        story.chapter("restart")
        await steps.restart(cluster, "a4")
        story.chapter("quick restart")
        cluster.current["a4"].send(signal.SIGKILL)
        await cluster.current["a4"].process.wait()
        await steps.restart(cluster, "a4")
        assert [cluster.journal.belief(name, "a4") for name in ("a1", "a2", "a3")] == ["alive"] * 3
        story.chapter("farewell")
        await steps.leave(cluster, "a2")
        story.chapter("after the farewell")
        await trio.sleep(cluster.quiet_s)
        story.chapter("end")
        cluster.ended.update(cluster.names)
        agents = list(cluster.current.values())
        for agent in agents:
            agent.send(signal.SIGINT)
        await cluster.until(
            lambda: all(agent.returncode is not None for agent in agents),
            steps.EXIT_LIMIT_S,
            lambda: "some did not exit",
        )
    return story


async def freeze(folder: Path) -> Story:
    """A member is frozen for a short time, and then for so long that it is held dead."""
    async with cluster_of(4, folder) as cluster:
        story, frozen = Story(cluster, {"joining": 0}), cluster.current["a3"]
        story.chapter("short freeze")
        frozen.send(signal.SIGSTOP)
        await trio.sleep(steps.SHORT_FREEZE_S["local"])  # the length of the freeze is what is tested
        frozen.send(signal.SIGCONT)
        await trio.sleep(2 * cluster.quiet_s)  # and then that nothing happens
        await cluster.agreed(NEWS_LIMIT_S)
        story.chapter("long freeze")
        frozen.send(signal.SIGSTOP)
        others, since = cluster.running(without="a3"), story.began["long freeze"]
        await cluster.noticed(
            others, lambda s: s.kind == "died" and s.subject == "a3", since, cluster.detection_limit_s, "a3 died"
        )
        story.chapter("awake")
        frozen.send(signal.SIGCONT)
        await cluster.noticed(
            others,
            lambda s: s.kind == "restored" and s.subject == "a3",
            story.began["awake"],
            NEWS_LIMIT_S,
            "a3 is back",
        )
        await cluster.agreed(NEWS_LIMIT_S)
        await trio.sleep(2 * cluster.quiet_s)  # it accuses nobody later either
    return story


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """That of a cluster from its beginning to its end."""
    return trio.run(live_and_die, tmp_path_factory.mktemp("life"))


@pytest.fixture(scope="module")
def frost(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """That of a cluster one of whose members stands still at times."""
    return trio.run(freeze, tmp_path_factory.mktemp("frost"))


def test_every_agent_sees_every_other_join(life: Story) -> None:
    names = life.cluster.names
    for name in names:
        joined = {s.subject for s in life.told("joining", "joined") if s.observer == name}
        assert joined >= set(names) - {name}
    assert not life.told("joining", "suspected", "died", "conflict")


def test_json_output_has_exactly_the_documented_fields(life: Story) -> None:
    agent = life.cluster.current["a1"]
    started, *events = [json.loads(line) for line in agent.lines]
    assert set(started) == STARTED_FIELDS
    assert started["event"] == "started"
    assert (started["name"], started["address"]) == ("a1", agent.address)
    assert isinstance(started["generation"], int)
    assert (started["status"], started["version"], started["metadata"]) == ("alive", 1, {"release": "1"})
    assert started["bound"] == started["address"]
    assert {event["event"] for event in events} >= {"joined", "died"}
    for event in events:
        more = {"suspected": SUSPECTED_FIELDS, "died": DIED_FIELDS, "standing": STANDING_FIELDS}
        assert set(event) == more.get(event["event"], EVENT_FIELDS)
    died = next(event for event in events if event["event"] == "died")
    assert (died["name"], died["status"]) == ("a4", "dead")
    assert died["address"] == life.cluster.current["a4"].address
    assert died["metadata"] == {"release": "1"}
    assert died["alive"] == 3
    assert life.times["crash"] <= died["time"] <= life.times["restart"]


def test_a_killed_member_is_dead_for_all_others_who_know_why(life: Story) -> None:
    died = life.told("crash", "died")
    assert {s.observer for s in died} == {"a1", "a2", "a3"}
    for sighting in died:
        assert sighting.subject == "a4"
        assert set(sighting.event["accusers"]) <= {"a1", "a2", "a3"}
        assert sighting.event["accusers"]
        assert 0 < sighting.event["silent_for"] < life.cluster.detection_limit_s
        why = sighting.event["explanation"]
        assert why["node"] == sighting.observer
        assert why["told"]
        assert {probe["address"] for probe in why["asked"]} <= {sighting.event["address"]}
        assert all(each["began"] <= each["ended"] <= 0 for each in why["asked"])


def test_a_short_freeze_is_forgiven(frost: Story) -> None:
    assert not frost.told("short freeze", "died")


def test_a_long_freeze_is_death_and_waking_is_resurrection(frost: Story) -> None:
    journal = frost.cluster.journal
    assert not steps.accused_by(journal, "a3", frost.began["awake"])
    assert not frost.told("awake", "died")
    generations = {s.event["generation"] for s in journal.sightings if s.subject == "a3"}
    assert len(generations) == 1, "it is the same process as before"


def test_a_restart_is_a_higher_generation_of_the_same_name(life: Story) -> None:
    first, second, _ = life.processes_of("a4")
    assert second["address"] == first["address"]
    assert first["generation"] < second["generation"]
    assert not life.told("restart", "conflict")


def test_a_restart_is_noticed_before_the_crash_was(life: Story) -> None:
    *_, second = life.processes_of("a4")
    joined = [s for s in life.told("quick restart", "joined") if s.event["generation"] == second["generation"]]
    assert {s.observer for s in joined if s.subject == "a4"} >= {"a1", "a2", "a3"}
    assert not life.told("quick restart", "conflict")


def test_a_member_that_leaves_is_known_to_have_left(life: Story) -> None:
    leaving = life.cluster.current["a2"]
    assert leaving.returncode == 0
    assert life.times["after the farewell"] - life.times["farewell"] < steps.EXIT_LIMIT_S
    left = [s for s in life.told("farewell", "left") if s.subject == "a2" and s.observer != "a2"]
    assert {s.observer for s in left} == {"a1", "a3", "a4"}
    assert all(s.event["status"] == "left" and s.event["alive"] == 3 for s in left)
    assert not life.told("after the farewell", "died")


def test_all_leave_at_once(life: Story) -> None:
    assert [agent.returncode for agent in life.cluster.current.values()] == [0, 0, 0, 0]
