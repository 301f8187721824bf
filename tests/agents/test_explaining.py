"""``gossip members --explain``: why agents see a member as they do, after it was killed, stopped, told to leave, or
left alone."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import attrs
import pytest
import trio

from gossip import Key, Keyring
from gossip.cli.demo import steps
from gossip.cli.demo.cluster import Cluster
from tests.agents.helpers import agents, assert_one_line, keys_of, run_gossip

RING = Keyring.of(Key.generate())


@attrs.frozen
class Told:
    """What one agent tells of one member: the sentences, and the JSON."""

    text: str
    json: Mapping[str, Any]

    @property
    def why(self) -> dict[str, Any]:
        """The explanation itself."""
        why: dict[str, Any] = self.json["explanation"]
        return why


async def ask(cluster: Cluster, by: str, *arguments: str) -> CompletedProcess[str]:
    """Run ``gossip members`` with one agent to ask."""
    command = partial(run_gossip, "members", "--join", cluster.current[by].address, *arguments)
    return await trio.to_thread.run_sync(command)


async def explained(cluster: Cluster, name: str, *, by: str) -> Told:
    """What an agent tells of a member."""
    arguments = ("--keyring", str(keys_of(cluster, by)), "--explain", name)
    shown = [await ask(cluster, by, *arguments), await ask(cluster, by, *arguments, "--json")]
    assert [(done.returncode, done.stderr) for done in shown] == [(0, "")] * 2
    return Told(shown[0].stdout, json.loads(shown[1].stdout))


async def fates(folder: Path) -> dict[str, dict[str, Told]]:
    """By the fate of a member, what the agents that run then tell of it."""
    names = ("ada", "brook", "killed", "stopped", "gone")
    async with agents(folder, **dict.fromkeys(names, RING)) as cluster:
        told: dict[str, dict[str, Told]] = {}

        async def all_explain(name: str, *by: str) -> None:
            told[name] = {each: await explained(cluster, name, by=each) for each in by}

        await steps.leave(cluster, "gone")
        await all_explain("gone", "ada")
        await steps.crash(cluster, "killed")
        await all_explain("killed", "ada", "brook", "stopped")
        since = len(cluster.journal.sightings)
        cluster.current["stopped"].send(signal.SIGSTOP)
        await cluster.noticed(
            ["ada", "brook"],
            lambda s: s.kind == "died" and s.subject == "stopped",
            since,
            cluster.detection_limit_s,
            "it stands still",
        )
        await all_explain("stopped", "ada", "brook")
        await all_explain("brook", "ada", "brook")
        done = await ask(cluster, "ada", "--keyring", str(keys_of(cluster, "ada")), "--explain", "killer")
        assert done.returncode == 1
        assert assert_one_line(done.stderr).endswith("knows no member 'killer'; it knows 'killed'")
        done = await ask(cluster, "ada", "--explain", "brook")
        assert done.returncode == 1
        assert "--keyring" in assert_one_line(done.stderr)
        return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Told]]:
    """What the agents tell."""
    return trio.run(fates, tmp_path_factory.mktemp("fates"))


def probes(told: Mapping[str, Told]) -> list[dict[str, Any]]:
    """All probes of which some agent tells."""
    return [probe for each in told.values() for probe in each.why["asked"]]


def test_a_killed_process_was_refused_by_its_system(told: dict[str, dict[str, Told]]) -> None:
    assert {each.json["status"] for each in told["killed"].values()} == {"dead"}
    assert any(probe["refused"] for probe in probes(told["killed"]))
    assert any("its system says that no process listens there" in each.text for each in told["killed"].values())


def test_a_stopped_process_was_silent_and_its_system_refused_nothing(told: dict[str, dict[str, Told]]) -> None:
    assert {each.json["status"] for each in told["stopped"].values()} == {"dead"}
    asked = probes(told["stopped"])
    assert asked
    assert not [probe for probe in asked if probe["refused"]]
    assert any(probe["nacks"] and probe["over_stream"] for probe in asked), "a helper heard nothing either"


@pytest.mark.parametrize("name", ["killed", "stopped"])
def test_a_death_names_who_accused_and_who_declared_it(told: dict[str, dict[str, Told]], name: str) -> None:
    for by, each in told[name].items():
        assert each.text.startswith(f"{name!r} is dead in the view of {by!r}: its counter stopped at ")
        assert each.why["node"] == by
        assert each.why["accusers"]
        assert any(telling["is_conviction"] for telling in each.why["told"])
        lines = re.findall(r"^ +-\d+\.\d{3} s  .*$", each.text, re.MULTILINE)
        assert len(lines) == len(each.why["told"]) + len(each.why["asked"])
        assert each.text.splitlines()[-1].endswith("or a restart, brings it back.")


def test_a_member_that_left_and_one_that_lives_are_explained_in_a_sentence(told: dict[str, dict[str, Told]]) -> None:
    assert told["gone"]["ada"].text == "'gone' has left the cluster: it said farewell.\n"
    assert told["gone"]["ada"].json["status"] == "left"
    for each in told["brook"].values():
        assert each.json["status"] == "alive"
        assert each.text.startswith("'brook' is alive")
        assert each.why["accusers"] == []
