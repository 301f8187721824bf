"""The committed inputs of each target: one text file for each, one input a line in hexadecimal, the short ones first.

They are what is left of all inputs found when each has to add something to what the others cover.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MAX_CORPUS_BYTES = 200_000
"""Of one file: as much as is still pleasant to have in a repository."""


def file_of(target: str) -> Path:
    """Where the inputs of a target are."""
    return CORPUS / f"{target}.hex"


def load(target: str) -> list[bytes]:
    """The committed inputs of a target; none if it has no file yet."""
    file = file_of(target)
    return [bytes.fromhex(line) for line in file.read_text(encoding="ascii").splitlines()] if file.exists() else []


def save(target: str, inputs: Iterable[bytes]) -> None:
    """Replace the committed inputs of a target, leaving out the longest if there are too many."""
    lines: list[str] = []
    room = MAX_CORPUS_BYTES
    for each in sorted(set(inputs), key=lambda data: (len(data), data)):
        room -= 2 * len(each) + 1
        if room < 0:
            break
        lines.append(each.hex() + "\n")
    file_of(target).write_text("".join(lines), encoding="ascii")
