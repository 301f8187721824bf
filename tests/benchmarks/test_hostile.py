"""What attacks nodes measures what it says; short, and without a look at times."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from benchmarks.endurance.hostile import borne
from benchmarks.endurance.hostile.bombs import BOMBS, Bomb
from benchmarks.endurance.hostile.command import main
from gossip.core.wire import Codec


def attacked(tmp_path: Path, *arguments: str) -> dict[str, float]:
    """The figures of a run, by name."""
    file = tmp_path / "figures.json"
    done = CliRunner().invoke(main, [*arguments, "--json", str(file)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return {figure["name"]: figure["value"] for figure in json.loads(file.read_text())["figures"]}


def test_nothing_forged_and_nothing_replayed_is_let_through(tmp_path: Path) -> None:
    figures = attacked(tmp_path, "--only", "forged", "--share", "0.01")
    assert figures["forged: accepted, of a million"] == figures["replayed: accepted, of a million"] == 0
    assert all(value > 0 for name, value in figures.items() if name.endswith("to refuse one"))


@pytest.mark.benchmark
def test_nodes_that_are_attacked_hold_nobody_for_dead(tmp_path: Path) -> None:
    figures = attacked(tmp_path, "--only", "memory", "--only", "streams", "--share", "0.02")
    assert figures["invented members: known in the end"] > 1_000
    assert 0 < figures["1,000 idle streams: open at once"] <= 256
    assert figures["1,000 idle streams: refused"] > 700


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_a_bomb_is_as_large_as_a_node_takes_it_and_right_in_form(bomb: Bomb) -> None:
    message = next(bomb.messages([7, 8, 9], bomb.message_bytes))
    assert 0.99 * bomb.message_bytes < len(message) <= bomb.message_bytes
    decoded = Codec("default").decode(message)
    assert len(decoded.facts) > 100 or decoded.refused == ("bad metadata",)


@pytest.mark.benchmark
def test_it_is_measured_how_much_of_a_bomb_a_node_bears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [attrs.evolve(bomb, steps=(2, 4)) for bomb in BOMBS if bomb.is_sealed or bomb.on_streams]
    monkeypatch.setattr(borne, "BOMBS", few)
    figures = attacked(tmp_path, "--only", "bombs", "--share", "0.1")
    assert [figures[borne.borne_name(bomb)] for bomb in few] == [4, 4]
