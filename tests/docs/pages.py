"""Which documents there are, and whether the blocks in them are Python or commands."""

from __future__ import annotations

import re

from tests.rst import ROOT, Block

MADE_BY_PROGRAMS = ("docs/benchmarks.rst", "docs/benchmarks/", "docs/_build/", "docs/_generated/")
"""What these hold is not written by hand; whoever makes them tests them."""

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        ROOT / "README.rst",
        ROOT / "CONTRIBUTING.rst",
        ROOT / "CHANGELOG.rst",
        *(ROOT / "docs").rglob("*.rst"),
    )
    if not path.relative_to(ROOT).as_posix().startswith(MADE_BY_PROGRAMS)
)
"""The documents that people write, by their paths in the repository."""

COMMAND = re.compile(r"(\$ |gossip |pip |python |\.venv/bin/)")


def is_python(block: Block) -> bool:
    """Whether a block is Python: it says so, or it says nothing and imports something."""
    return block.language == "python" or (
        block.language == "" and re.search(r"^(from|import) ", block.text, re.MULTILINE) is not None
    )


def commands(block: Block) -> list[str]:
    """The commands in a block, without prompts and remarks; none if it is not about commands."""
    if block.language not in ("console", "") or is_python(block):
        return []
    lines = block.text.splitlines()
    shown = [line for line in lines if line.startswith("$ ")] or [line for line in lines if COMMAND.match(line)]
    return [
        command.strip()
        for line in shown
        for command in line.removeprefix("$ ").partition(" #")[0].split("&&")
        if command.strip()
    ]
