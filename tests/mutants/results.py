"""What came of the planted faults, kept in ``results.json``, and the table of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import attrs

RESULTS = Path(__file__).parent / "results.json"


@attrs.frozen(kw_only=True)
class Result:
    """What came of one fault."""

    name: str
    about: str
    noticed_by: Sequence[str]
    """Tests that failed; empty if none did."""
    swarm_seeds: int | None = None
    """Seeds of ``swarm`` that were tried; None if none was."""
    swarm_violated: int | None = None
    """How many of them did not come to an outcome in which everything held."""
    survives: str = ""
    """Why no test can notice it; empty if one has to."""

    @property
    def is_right(self) -> bool:
        """Whether a test noticed it, or a reason is given why none can; and where the simulator was tried, it did."""
        return bool(self.noticed_by or self.survives)


def recorded() -> list[Result]:
    """What was kept last."""
    return [Result(**each) for each in json.loads(RESULTS.read_text(encoding="utf-8"))]


def record(results: Sequence[Result]) -> None:
    """Keep these; those of other faults stay."""
    kept = {each.name: each for each in (recorded() if RESULTS.exists() else [])}
    kept |= {each.name: each for each in results}
    text = json.dumps([attrs.asdict(kept[name]) for name in sorted(kept)], indent=1, ensure_ascii=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")


def line(result: Result) -> str:
    """A result as one line of text."""
    if result.noticed_by:
        said = f"noticed by {', '.join(result.noticed_by)}"
    else:
        said = f"survives: {result.survives}" if result.survives else "NOT NOTICED"
    if result.swarm_seeds is not None:
        said += f"; swarm: {result.swarm_violated} of {result.swarm_seeds} seeds"
    return f"{result.name}: {said}"


def summary(results: Sequence[Result]) -> str:
    """How many there were, and how many were noticed."""
    noticed = sum(bool(each.noticed_by) for each in results)
    explained = sum(bool(each.survives and not each.noticed_by) for each in results)
    text = f"{noticed} of {len(results)} faults noticed by tests ({noticed / max(1, len(results)):.1%})"
    text += f", {explained} explained" if explained else ""
    swarm = [each for each in results if each.swarm_seeds is not None]
    if swarm:
        text += f"; {sum(bool(each.swarm_violated) for each in swarm)} of {len(swarm)} noticed by swarm"
    return text
