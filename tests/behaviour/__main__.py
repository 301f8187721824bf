"""The command: ``python -m tests.behaviour BASE [CHANGED]`` compares two commits by their trace hashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "behaviour"
"""Hashes of each commit, so that the same commit is run once."""


@click.command()
@click.argument("base")
@click.argument("changed", default="HEAD")
@click.option("--seeds", default="0..19", show_default=True, help="Seeds of each scenario, both ends included.")
@click.option("--scenario", "only", multiple=True, help="Compare this scenario only. May be repeated.")
def main(base: str, changed: str, seeds: str, only: tuple[str, ...]) -> None:
    """Compare the trace hashes of two commits, BASE and CHANGED, in every scenario.

    Exit codes: 0 if all are equal, 1 if some differ.
    """
    before, after = hashes(base, seeds, only), hashes(changed, seeds, only)
    differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    for scenario in sorted({scenario for scenario, _ in differing}):
        which = ", ".join(str(seed) for name, seed in sorted(differing) if name == scenario)
        click.echo(f"{scenario}: differs in seeds {which}")
    runs = len(before.keys() | after.keys())
    click.echo(f"{runs - len(differing)} of {runs} runs equal")
    sys.exit(1 if differing else 0)


def hashes(commit: str, seeds: str, only: tuple[str, ...]) -> dict[tuple[str, int], str]:
    """The trace hash of each run, by scenario and seed. What was run before is not run again."""
    sha = _git("rev-parse", f"{commit}^{{commit}}").strip()
    kept = KEPT / sha / seeds
    kept.mkdir(parents=True, exist_ok=True)
    found: dict[tuple[str, int], str] = {}
    with tempfile.TemporaryDirectory() as folder, Progress(transient=True) as progress:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--detach", str(tree), sha)
        try:
            names = only or [each["name"] for each in json.loads(_run(tree, "sims", "list", "--json"))]
            for name in progress.track(names, description=f"{commit}"):
                if not (done := kept / f"{name}.jsonl").exists():
                    partial = done.with_suffix(".partial")
                    partial.unlink(missing_ok=True)
                    _run(tree, "sims", "sweep", name, "--seeds", seeds, "--out", str(partial))
                    partial.rename(done)
                for line in done.read_text().splitlines()[1:]:
                    outcome = json.loads(line)
                    found[name, outcome["seed"]] = outcome["trace_hash"]
        finally:
            _git("worktree", "remove", "--force", str(tree))
    return found


def _run(tree: Path, *command: str) -> str:
    """What a command of another commit prints; its exit code 1 is a run in which something did not hold."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tree, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode > 1:
        raise click.ClickException(f"{' '.join(command)} ended with exit code {done.returncode} in {tree}")
    return done.stdout


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
