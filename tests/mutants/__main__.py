"""``python -m tests.mutants``: plant each fault in a copy of the checkout, and say which tests notice."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.mutants import results, trial
from tests.mutants.patch import PATCHES, Mutant, PatchError, mutants
from tests.mutants.refit import refitted
from tests.rst import ROOT

DEFAULT_SEEDS = 200


def main() -> int:
    """Do what the command line says; 1 if a fault was noticed by no test, without a reason for that."""
    asked = _arguments()
    chosen = [each for each in mutants() if not asked.names or each.name in asked.names]
    unknown = set(asked.names) - {each.name for each in chosen}
    if asked.swarm and not asked.names:
        chosen = [each for each in chosen if each.swarm]
    if unknown:
        print(f"there is no fault named {', '.join(sorted(unknown))}; --list shows all", file=sys.stderr)
        return 2
    if asked.list:
        for each in chosen:
            print(f"{each.name}: {each.about}")
        return 0
    if asked.refit:
        return _refit(chosen)
    done: list[results.Result] = []
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(asked.jobs) as pool, ExitStack() as stack:
        checkouts: SimpleQueue[Path] = SimpleQueue()
        for _ in range(asked.jobs):
            checkouts.put(stack.enter_context(trial.copy_of_the_checkout()))
        task = progress.add_task("faults", total=len(chosen))
        for future in as_completed([pool.submit(_try, each, checkouts, asked) for each in chosen]):
            done.append(future.result())
            progress.advance(task)
            progress.console.print(results.line(done[-1]), markup=False, highlight=False, soft_wrap=True)
            if asked.record:
                results.record(done[-1])
    print(results.summary(done))
    return int(not all(each.is_right for each in done))


def _refit(chosen: list[Mutant]) -> int:
    """Write those patches anew that do not fit; 1 if one of them has to be written by hand."""
    failed = 0
    for each in chosen:
        try:
            each.check(ROOT)
        except PatchError:
            try:
                (PATCHES / f"{each.name}.patch").write_text(refitted(each, ROOT), encoding="utf-8")
                print(f"{each.name} fits again")
            except PatchError as error:
                failed = 1
                print(error, file=sys.stderr)
    return failed


def _try(mutant: Mutant, checkouts: SimpleQueue[Path], asked: argparse.Namespace) -> results.Result:
    checkout = checkouts.get()
    try:
        noticed_by = None if asked.no_tests else _noticed_by(mutant, checkout, asked.failures)
        violated = _violated(mutant, checkout, asked.seeds) if asked.swarm else None
    finally:
        checkouts.put(checkout)
    return results.Result(
        name=mutant.name,
        about=mutant.about,
        area=mutant.area,
        noticed_by=noticed_by,
        swarm_seeds=asked.seeds if asked.swarm else None,
        swarm_violated=violated,
        survives=mutant.survives,
    )


def _noticed_by(mutant: Mutant, checkout: Path, most: int) -> tuple[str, ...]:
    """The tests that notice: those of the first place in which any does. One that fails without the fault, too, says
    nothing about it."""
    for place in mutant.tests:
        with trial.planted(mutant, checkout):
            failing = trial.failing_tests(checkout, place, most)
        if not failing or failing == (trial.HANGS,):
            noticed = failing
        else:
            noticed = tuple(each for each in failing if each not in trial.failing_again(checkout, place))
        if noticed:
            return noticed
    return ()


def _violated(mutant: Mutant, checkout: Path, seeds: int) -> int:
    with trial.planted(mutant, checkout):
        return trial.run_swarm(checkout, seeds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description="Plant each fault of tests/mutants/patches in a copy of the checkout, one at a time, and say which "
        "tests notice it. Takes some six minutes on two cores.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these faults (default: all)")
    parser.add_argument("--list", action="store_true", help="say what each fault breaks, and do nothing")
    parser.add_argument("--refit", action="store_true",
                        help="write those patches anew whose lines have moved, and do nothing else")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, metavar="J", help="faults tried at once (default: 2)")
    parser.add_argument("--swarm", action="store_true",
                        help="also count the seeds of swarm whose invariants notice it; without names, only of the "
                        "faults that they should notice")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=DEFAULT_SEEDS, metavar="N",
                        help=f"of these, 0 to N - 1 are tried (default: {DEFAULT_SEEDS})")  # fmt: skip
    parser.add_argument("--no-tests", action="store_true", help="with --swarm: try that alone")
    parser.add_argument("--failures", type=int, default=1, metavar="N",
                        help="failed tests after which the next fault is tried (default: 1)")  # fmt: skip
    parser.add_argument("--record", action="store_true", help="keep what came of it in tests/mutants/results.json")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PatchError as error:
        sys.exit(str(error))
