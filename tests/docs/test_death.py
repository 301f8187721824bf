"""The guide to a death's explanation shows what the code says: its examples, and the words of its patterns."""

from __future__ import annotations

import inspect
import re
from typing import Any

import attrs
import pytest

from gossip import Address, Asked, Explanation, Stage, Status, Told
from gossip.core.detection import evidence
from gossip.core.state.member import Identity, Record
from tests.rst import blocks, document, table

PAGE = document("docs/howto/death.rst")


def dead(name: str, port: int, counter: int, **more: Any) -> Explanation:
    """An explanation of a death, of a member of this machine."""
    member = Record(Identity(name, 1, 9), 1, Address("127.0.0.1", port), {}).member(Status.DEAD)
    bare = Explanation(member, "ada", 0.0, Stage.NOT_PROBED, Stage.UNSUSPECTED, None, counter, 0.0, 0, (), None, (), ())
    return attrs.evolve(bare, **more)


def probe(reason: str, began: float, port: int, *helpers: str, **more: bool) -> Asked:
    """A probe that failed, of which all helpers reported the same."""
    return Asked(reason, began, began + 0.1, 2, f"127.0.0.1:{port}", helpers, helpers, **more)


KILLED = dead(
    "dana",
    7949,
    28,
    floor=108,
    accusers=("ada", "brook", "cleo"),
    asked=(
        probe("probe of a round", -4.816, 7949, "cleo", "brook", refused=True),
        probe("second probe", -4.554, 7949, "cleo", "brook", refused=True, over_stream=True),
        probe("last probe", -4.044, 7949, refused=True),
    ),
    told=(
        Told(-4.545, "ada", ("ada",), 48),
        Told(-4.285, "cleo", ("ada", "brook"), 48),
        Told(-4.277, "cleo", ("ada", "brook", "cleo"), 48),
        Told(-4.043, "ada", ("ada", "brook", "cleo"), 108, True),
    ),
)
STOPPED = dead(
    "cleo",
    7948,
    108,
    node="brook",
    floor=192,
    accusers=("brook", "ada"),
    asked=(
        probe("probe of a round", -16.396, 7948, "ada"),
        probe("second probe", -15.736, 7948, "ada", over_stream=True),
        probe("last probe", -14.788, 7948),
    ),
    told=(
        Told(-15.332, "brook", ("brook",), 132),
        Told(-15.016, "ada", ("brook", "ada"), 132),
        Told(-14.587, "brook", ("brook", "ada"), 192, True),
    ),
)


@pytest.mark.parametrize(("name", "explanation"), [("killed", KILLED), ("stopped", STOPPED)])
def test_an_example_is_what_the_code_says(name: str, explanation: Explanation) -> None:
    (shown,) = [block.text for block in blocks(PAGE) if block.name == name]
    assert shown == f"{explanation}\n"


def test_the_words_of_each_pattern_are_those_of_the_code() -> None:
    said = inspect.getsource(evidence)
    for read, *_ in table(PAGE, "Patterns"):
        for words in re.findall(r"``([^`]+)``", read):
            assert words in said or words == "RESTORED", words
