"""The rooms of the simulator: each is listed, and says what it decides and what may be imported from it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import sims

ROOMS = sorted(path.parent.name for path in Path(sims.__file__).parent.glob("*/__init__.py"))


def test_the_list_of_rooms_names_each_of_them() -> None:
    listed = re.findall(r"^- ((?:``\w+``(?:, )?)+):", sims.__doc__ or "", re.MULTILINE)
    assert sorted(name for each in listed for name in re.findall(r"\w+", each)) == sorted([*ROOMS, "names", "words"])


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_says_what_it_is_about(room: str) -> None:
    assert import_module(f"sims.{room}").__doc__


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "cli"])
def test_what_may_be_imported_from_a_room_is_there(room: str) -> None:
    module = import_module(f"sims.{room}")
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
