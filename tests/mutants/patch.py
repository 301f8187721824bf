"""A planted fault: a patch in the format of ``diff -u``, under a few lines that say what it breaks.

The head of a file reads::

    A suspicion lasts a third of a second.

    Tests: tests/core
    Swarm: yes

    --- a/gossip/core/detection/detector.py
    ...

``Tests`` names files and folders of tests; they are tried in this order, until one of them notices. ``Swarm: yes``
says that the invariants of the simulator should notice it, too. ``Survives: REASON`` says why no test can.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import attrs

PATCHES = Path(__file__).parent / "patches"

_CHANGED = re.compile(r"^--- a/(\S+)", re.MULTILINE)

_AREAS = {"core": "core", "security": "sealing"}
"""What rooms of the package are called in the table of results; all others are the shell."""


class PatchError(Exception):
    """A patch has no proper head, or does not fit the code any more."""


@attrs.frozen
class Mutant:
    """One planted fault."""

    name: str
    """Its file's name without ``.patch``."""
    about: str
    """What is broken, in one sentence."""
    area: str
    """What it is planted in: "core", "sealing", or the "shell" around them."""
    tests: tuple[str, ...]
    """Files or folders of tests, the most likely to notice it first."""
    swarm: bool
    """Whether the simulator's invariants should notice it."""
    survives: str
    """Why no test can notice it; empty if one has to."""
    patch: str = attrs.field(repr=False)
    """The text of the file."""

    @classmethod
    def read(cls, path: Path) -> Mutant:
        """Read one file.

        :raises PatchError: if its head is not as the module's docstring says.
        """
        text = path.read_text(encoding="utf-8")
        head, divider, patch = text.partition("\n--- ")
        about, _, rest = head.partition("\n\n")
        fields: dict[str, str] = {}
        for paragraph in filter(None, rest.strip().split("\n")):
            key, colon, value = paragraph.partition(": ")
            if not colon or key not in ("Tests", "Swarm", "Survives") or key in fields:
                raise PatchError(f"{path.name}: {paragraph!r} is none of 'Tests: ...', 'Swarm: yes', 'Survives: ...'")
            fields[key] = value.strip()
        if not divider or not about.strip() or not fields.get("Tests"):
            raise PatchError(f"{path.name}: needs a sentence, a line 'Tests: ...', and a patch")
        return cls(
            path.stem,
            " ".join(about.split()),
            _area(_CHANGED.search(divider + patch)),
            tuple(fields["Tests"].split()),
            fields.get("Swarm") == "yes",
            fields.get("Survives", ""),
            text,
        )

    def plant(self, checkout: Path) -> None:
        """Break the code of ``checkout``.

        :raises PatchError: if the patch does not fit.
        """
        self._apply(checkout)

    def heal(self, checkout: Path) -> None:
        """Undo :meth:`plant`."""
        self._apply(checkout, "--reverse")

    def check(self, checkout: Path) -> None:
        """Whether it could be planted; changes nothing.

        :raises PatchError: if it does not fit.
        """
        self._apply(checkout, "--check")

    def _apply(self, checkout: Path, *options: str) -> None:
        command = ["git", "apply", "-C2", *options]
        # Inside another repository, git would pass over what is not that one's, and say that all is well.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment["GIT_CEILING_DIRECTORIES"] = str(checkout.resolve().parent)
        done = subprocess.run(
            command, cwd=checkout, env=environment, input=self.patch, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode:
            raise PatchError(f"{self.name}.patch does not fit the code: {done.stderr.strip()}")


def _area(changed: re.Match[str] | None) -> str:
    rooms = Path("" if changed is None else changed[1]).parts[1:2]
    return next((_AREAS[room] for room in rooms if room in _AREAS), "shell")


def mutants() -> list[Mutant]:
    """All of them, by name."""
    return [Mutant.read(path) for path in sorted(PATCHES.glob("*.patch"))]
