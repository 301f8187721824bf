"""``python -m docs.generate``: write the pages that programs make; with ``--check``, only say which are outdated."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from docs.generate.pages import outdated, write


def main(arguments: Sequence[str]) -> int:
    """Write or check; returns the exit code."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python -m docs.generate [--check]", file=sys.stderr)
        return 2
    if not arguments:
        for path in write():
            print(f"written: {path}")
        return 0
    old = outdated()
    for path in old:
        print(f"{path} is outdated; write it again: python -m docs.generate", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
