"""The planted faults fit the code as it is, and what came of them was recorded for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import results
from tests.mutants.patch import Mutant, PatchError, mutants
from tests.mutants.refit import refitted
from tests.rst import ROOT, document, table

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


FAULTS = "docs/evaluation/faults.rst"


def test_the_documents_say_how_many_faults_there_are_and_how_many_are_noticed() -> None:
    areas = results.by_area(results.recorded())
    counted = [[area, *counts] for area, counts in areas.items()]
    counted.append(["all", *map(sum, zip(*areas.values(), strict=True))])
    assert table(document(FAULTS), "Planted faults") == [[str(cell) for cell in row] for row in counted]
    assert f"``python -m tests.mutants`` plants {len(ALL)} faults, one at a time" in document(FAULTS)
    _claim, noticed, _page = table(document("docs/evaluation.rst"), "What was found")[-1]
    assert noticed == f"{counted[-1][2]} of {len(ALL)}"


def test_the_documents_say_which_faults_swarm_notices_and_in_how_many_seeds() -> None:
    noticed = {each.about: str(each.swarm_violated) for each in results.recorded() if each.swarm_violated}
    rows = table(document(FAULTS), "Planted faults that swarm notices")
    assert {fault: now for fault, _before, now in rows} == noticed
    tried = [each for each in results.recorded() if each.swarm_seeds is not None]
    assert f"``swarm`` notices {len(noticed)} of {len(tried)} faults" in document(FAULTS)


@pytest.mark.parametrize("text", ["", "About.\n", "About.\n\nTests:\n\n--- a\n", "About.\n\nSpeed: 3\n\n--- a\n"])
def test_a_patch_without_a_proper_head_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.patch"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PatchError, match=r"broken\.patch"):
        Mutant.read(path)


PATCH = """Nothing is counted.

Tests: tests/core

--- a/code.py
+++ b/code.py
@@ -1,3 +1,3 @@
 def count(self):
-    self.total += 1
+    pass
     self.last = self.now
"""


def planted_in(code: str, folder: Path) -> Mutant:
    (folder / "code.py").write_text(code, encoding="utf-8")
    (folder / "fault.patch").write_text(PATCH, encoding="utf-8")
    return Mutant.read(folder / "fault.patch")


@pytest.mark.parametrize(
    "code",
    [
        "import sys\n\n\ndef count(self):\n    self.total += 1\n    self.last = self.now\n",
        "def count(self):\n    self.looked = True\n    self.total += 1\n    self.last = self.now\n",
        "def count(self, by):\n    self.total += 1\n",
    ],
)
def test_a_patch_whose_line_has_moved_is_written_anew(code: str, tmp_path: Path) -> None:
    mutant = planted_in(code, tmp_path)
    (tmp_path / "fault.patch").write_text(refitted(mutant, tmp_path), encoding="utf-8")
    Mutant.read(tmp_path / "fault.patch").plant(tmp_path)
    assert (tmp_path / "code.py").read_text(encoding="utf-8") == code.replace("self.total += 1", "pass")


def test_a_patch_of_a_file_that_is_gone_is_for_people_to_write(tmp_path: Path) -> None:
    mutant = planted_in("def count(self):\n    self.total += 1\n", tmp_path)
    (tmp_path / "code.py").unlink()
    with pytest.raises(PatchError, match=r"fault\.patch: code\.py is not there any more"):
        refitted(mutant, tmp_path)


def test_a_fault_belongs_to_the_area_of_the_room_that_it_is_planted_in() -> None:
    areas = {each.name: each.area for each in ALL}
    assert areas["no-helpers"] == "core"
    assert areas["replays-are-let-in"] == "sealing"
    assert areas["a-dead-socket-stays-dead"] == "shell"


@pytest.mark.parametrize(
    "code",
    ["def count(self):\n    self.total += 2\n", "a:\n    self.total += 1\nb:\n    self.total += 1\n"],
)
def test_a_patch_whose_line_has_changed_or_is_there_twice_is_for_people_to_write(code: str, tmp_path: Path) -> None:
    with pytest.raises(PatchError, match=r"what it takes out of code\.py is not there any more, or more than once"):
        refitted(planted_in(code, tmp_path), tmp_path)
