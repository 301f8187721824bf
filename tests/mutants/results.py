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
    area: str
    """What it is planted in."""
    noticed_by: Sequence[str] | None = None
    """Tests that failed; empty if none did, None if none was run."""
    swarm_seeds: int | None = None
    """Seeds of ``swarm`` that were tried; None if none was."""
    swarm_violated: int | None = None
    """How many of them did not come to an outcome in which everything held."""
    survives: str = ""
    """Why no test can notice it; empty if one has to."""

    @property
    def is_right(self) -> bool:
        """Whether a test noticed it, none was run, or a reason is given why none can."""
        return self.noticed_by is None or bool(self.noticed_by or self.survives)


def recorded() -> list[Result]:
    """What was kept last."""
    return [Result(**each) for each in json.loads(RESULTS.read_text(encoding="utf-8"))]


def record(result: Result) -> None:
    """Keep what came of one fault; what was not tried this time stays as it was kept."""
    kept = {each.name: each for each in (recorded() if RESULTS.exists() else [])}
    before = kept.get(result.name)
    if before is not None and result.noticed_by is None:
        result = attrs.evolve(result, noticed_by=before.noticed_by)
    if before is not None and result.swarm_seeds is None:
        result = attrs.evolve(result, swarm_seeds=before.swarm_seeds, swarm_violated=before.swarm_violated)
    kept[result.name] = result
    text = json.dumps([attrs.asdict(kept[name]) for name in sorted(kept)], indent=1, ensure_ascii=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")


def line(result: Result) -> str:
    """A result as one line of text."""
    said = []
    if result.noticed_by:
        said.append(f"noticed by {', '.join(result.noticed_by)}")
    elif result.noticed_by is not None:
        said.append(f"survives: {result.survives}" if result.survives else "NOT NOTICED")
    if result.swarm_seeds is not None:
        said.append(f"swarm: {result.swarm_violated} of {result.swarm_seeds} seeds")
    return f"{result.name}: {'; '.join(said)}"


def summary(results: Sequence[Result]) -> str:
    """How many there were, and how many were noticed."""
    said = []
    if tried := [each for each in results if each.noticed_by is not None]:
        noticed = sum(bool(each.noticed_by) for each in tried)
        said.append(f"{noticed} of {len(tried)} faults noticed by tests ({noticed / len(tried):.1%})")
        if explained := sum(bool(each.survives and not each.noticed_by) for each in tried):
            said.append(f"{explained} explained")
    if swarm := [each for each in results if each.swarm_seeds is not None]:
        said.append(f"{sum(bool(each.swarm_violated) for each in swarm)} of {len(swarm)} noticed by swarm")
    return "; ".join(said)


def by_area(results: Sequence[Result]) -> dict[str, tuple[int, int, int, int]]:
    """For each area: faults, how many tests noticed, how many were tried by swarm, how many it noticed."""
    table = {}
    for area in sorted({each.area for each in results}):
        here = [each for each in results if each.area == area]
        swarm = [each for each in here if each.swarm_seeds is not None]
        table[area] = (
            len(here),
            sum(bool(each.noticed_by) for each in here),
            len(swarm),
            sum(bool(each.swarm_violated) for each in swarm),
        )
    return table
