"""``python -m tests.fuzzing``: fuzz a target or all of them, replay an input, keep the fewest inputs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzzing import running
from tests.fuzzing.targets import TARGETS

DEFAULT_SECONDS = 60
EXIT_SKIPPED = 77
"""Nothing was done because something is not installed; the number that test harnesses take for that."""


def main() -> int:
    """Do what the command line says; 1 if something crashed."""
    asked = _arguments()
    if asked.replay:
        (target,) = asked.targets
        TARGETS[target].fuzz_one(asked.replay.read_bytes())
        print(f"{target}: nothing wrong with it; it takes {running.cpu_ms(target, asked.replay.read_bytes()):.2f} ms")
        return 0
    if not running.is_available():
        print(running.MISSING, file=sys.stderr)
        return EXIT_SKIPPED
    seconds = asked.seconds if asked.seconds or asked.runs else DEFAULT_SECONDS
    has_crashed = False
    for target in asked.targets:
        folder = asked.corpus / target
        result = running.run(target, seconds=seconds, executions=asked.runs, folder=folder, verbose=asked.verbose)
        print(result, flush=True)
        for crash in result.crashes:
            has_crashed = True
            print(f"  to do it again: python -m tests.fuzzing {target} --replay {crash}", flush=True)
        if asked.record:
            running.record(result)
        if asked.keep:
            print(f"  {running.keep(target, folder)} inputs are committed now", flush=True)
    return int(has_crashed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzzing",
        description="Feed a target with hostile input, guided by what of the code it reaches.",
        epilog="Targets: " + "; ".join(f"{name}, {target.about}" for name, target in TARGETS.items()) + ".",
    )
    parser.add_argument(
        "target", choices=[*TARGETS, "all"], metavar="TARGET", help="one of those below, or all in turn"
    )
    parser.add_argument("--seconds", type=int, default=0, metavar="S",
                        help=f"of each target (default: {DEFAULT_SECONDS}, unless --runs is given)")  # fmt: skip
    parser.add_argument("--runs", type=int, default=0, metavar="N", help="executions of each target")
    parser.add_argument("--corpus", type=Path, default=running.FOLDER, metavar="DIR",
                        help="where what was found is kept (default: .fuzzing)")  # fmt: skip
    parser.add_argument("--keep", action="store_true", help="then commit the fewest inputs that cover as much")
    parser.add_argument("--record", action="store_true", help="then add what came of it to the recorded runs")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="do nothing but this one input, without atheris")
    parser.add_argument("--verbose", action="store_true", help="show what the fuzzer says")
    asked = parser.parse_args()
    asked.targets = list(TARGETS) if asked.target == "all" else [asked.target]
    if asked.replay and len(asked.targets) > 1:
        parser.error("--replay needs one target")
    return asked


if __name__ == "__main__":
    sys.exit(main())
