"""Fit planted faults to code that has moved: what a patch takes out is looked for, and the patch written anew there.

Where those lines are the same as before, nobody has to look at the patch. Where they have changed, somebody has to
write it anew.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

from tests.mutants.patch import Mutant, PatchError

MOST_CONTEXT = 3
"""Lines around a change by which its place is looked for, if it is there more than once or has moved; then fewer."""

_PART = re.compile(r"^(?=--- a/)", re.MULTILINE)
_HUNK = re.compile(r"^(?=@@ -)", re.MULTILINE)


def refitted(mutant: Mutant, checkout: Path) -> str:
    """The text of a patch as it has to be to fit.

    :raises PatchError: if the lines that it takes out are not there any more, or in several places.
    """
    head, *parts = _PART.split(mutant.patch)
    return head + "".join(_part(mutant, part, checkout) for part in parts)


def _part(mutant: Mutant, part: str, checkout: Path) -> str:
    """The part of a patch that is about one file, as a new one."""
    title, *hunks = _HUNK.split(part)
    name = title.split()[1].removeprefix("a/")
    if not (checkout / name).exists():
        raise PatchError(f"{mutant.name}.patch: {name} is not there any more")
    before = (checkout / name).read_text(encoding="utf-8").splitlines(keepends=True)
    after = before[:]
    for hunk in hunks:
        if not _apply(hunk.splitlines(keepends=True)[1:], after):
            raise PatchError(
                f"{mutant.name}.patch: what it takes out of {name} is not there any more, or more than once"
            )
    return "".join(unified_diff(before, after, f"a/{name}", f"b/{name}"))


def _apply(hunk: Sequence[str], code: list[str]) -> bool:
    """Change the code by the lines of a hunk, with as much of its context as there is in one place only; whether there
    was such a place."""
    changed = [number for number, line in enumerate(hunk) if line[0] in "+-"]
    for context in range(MOST_CONTEXT, -1, -1):
        lines = hunk[max(0, changed[0] - context) : changed[-1] + 1 + context]
        old = [line[1:] for line in lines if line[0] in " -"]
        places = [place for place in range(len(code)) if code[place : place + len(old)] == old]
        if old and len(places) == 1:
            code[places[0] : places[0] + len(old)] = [line[1:] for line in lines if line[0] in " +"]
            return True
    return False
