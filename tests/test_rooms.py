"""Rooms of the package: each lists the names that may be imported from it, and these are the ones that are used."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from tests.rst import ROOT

ROOMS = ("net", "node", "security", "telemetry")


def imported_elsewhere(room: str) -> set[str]:
    """The names that the rest of the package imports from a room."""
    names: set[str] = set()
    folder = ROOT / "gossip" / room
    for file in (ROOT / "gossip").rglob("*.py"):
        if folder not in file.parents:
            names |= names_from(file, f"gossip.{room}")
    return names


def names_from(file: Path, module: str) -> set[str]:
    imports = (node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.ImportFrom))
    return {alias.name for each in imports if each.module == module for alias in each.names}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_exactly_the_names_that_others_import_from_it(room: str) -> None:
    module = importlib.import_module(f"gossip.{room}")
    assert set(module.__all__) == imported_elsewhere(room)
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize(
    "room", [*ROOMS, "cli", "cli.agent", "cli.demo", "contrib", "contrib.starlette", "remote", "testing"]
)
def test_a_room_names_each_of_its_modules_and_says_what_it_decides(room: str) -> None:
    description = importlib.import_module(f"gossip.{room}").__doc__
    assert description is not None
    folder = ROOT / "gossip" / room.replace(".", "/")
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {module for module in modules - {"__init__"} if f"``{module}``" not in description} == set()


@pytest.mark.parametrize("file", sorted((ROOT / "gossip").rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_of_the_shell_is_no_longer_than_can_be_read(file: Path) -> None:
    if "core" not in file.parts:
        assert len(file.read_text("utf-8").splitlines()) <= 400
