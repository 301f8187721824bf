"""The planted faults fit the code as it is, and what came of them was recorded for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import results
from tests.mutants.patch import Mutant, PatchError, mutants
from tests.rst import ROOT

ALL = mutants()


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_a_planted_fault_fits_the_code(mutant: Mutant) -> None:
    mutant.check(ROOT)
    assert all((ROOT / place).exists() for place in mutant.tests)


def test_what_came_of_each_fault_is_recorded() -> None:
    assert {each.name for each in results.recorded()} == {each.name for each in ALL}


def test_nineteen_of_twenty_faults_are_noticed_and_the_rest_explained() -> None:
    recorded = results.recorded()
    assert sum(bool(each.noticed_by) for each in recorded) >= 0.95 * len(recorded)
    assert all(each.is_right for each in recorded)


def test_swarm_notices_each_fault_that_it_should() -> None:
    violated = {each.name: each.swarm_violated for each in results.recorded()}
    assert all(violated[each.name] for each in ALL if each.swarm)


@pytest.mark.parametrize("text", ["", "About.\n", "About.\n\nTests:\n\n--- a\n", "About.\n\nSpeed: 3\n\n--- a\n"])
def test_a_patch_without_a_proper_head_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.patch"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PatchError, match=r"broken\.patch"):
        Mutant.read(path)
