"""The simulator's reports that the pages "What happens when ..." show: one page of HTML for each run.

The clusters are small, so that each report stays near a hundred kilobytes. The reports are not kept in the
repository: every build of the site writes them anew.
"""

from __future__ import annotations

from pathlib import Path

from sims.report import Recording, render
from sims.running.run import Run
from sims.sweep.request import Request

REPORTS = {
    "crash": Request(scenario="crash", nodes=6),
    "split": Request(scenario="split-heal", nodes=6, changes={"for_s": "30"}),
    "restart": Request(scenario="rolling-restart", nodes=4),
    "deaf": Request(scenario="one-way", nodes=6, changes={"for_s": "30"}),
    "loss": Request(scenario="lossy", nodes=6),
}
"""What each report runs, by the name of its page in ``docs/happens``. Each run has the seed 0."""

SEED = 0


def write_reports(folder: Path) -> None:
    """Run each simulation and write its report to ``NAME.html`` in the folder.

    :raises RuntimeError: if a run violates an invariant, because then the page around it would not be true.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, request in REPORTS.items():
        plan, recording = request.plan(SEED), Recording()
        outcome = Run(plan, observers=[recording]).run()
        if not outcome.is_good:
            raise RuntimeError(f"{request.command(SEED)} violates {outcome.violations}")
        (folder / f"{name}.html").write_text(render(recording, plan, outcome), encoding="utf-8")
