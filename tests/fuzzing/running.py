"""Runs of the fuzzer: start it in a process of its own, read what it says, and write down what came of it.

A run begins with the committed inputs, the target's seeds and what earlier runs have left in its folder; it ends
after so many seconds or executions, or at the first crash. What it found stays in the folder, for the next run.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from hashlib import sha1
from pathlib import Path
from typing import Any

import attrs

from tests.fuzzing import corpora
from tests.fuzzing.targets import TARGETS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".fuzzing"
"""What runs leave behind, by target: inputs that cover something, and those that crash."""

RESULTS = Path(__file__).parent / "results" / "runs.jsonl"
"""Recorded runs, one a line."""

MISSING = (
    "fuzzing needs one more package: pip install 'gossip-membership[fuzz]' "
    "(atheris, which there is for Linux on x86-64 and Python 3.11 to 3.13)"
)

TOO_SLOW_S = 10
"""An input that takes longer counts as a crash."""

TOO_MUCH_MB = 1024
"""A process that grows beyond this counts as a crash; the caches of the core take some 100 MB at most."""

REPLAYS = 5
"""Times that a slow input is done again; the fastest counts, the others met with something else."""

_CRASH = re.compile(r"Test unit written to (\S+)$", re.MULTILINE)
_NUMBERS = re.compile(r"^#(\d+)\s.*?\bcov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)
_STATISTIC = re.compile(r"^stat::(\w+):\s+(\d+)$", re.MULTILINE)


def is_available() -> bool:
    """Whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


@attrs.frozen(kw_only=True)
class Run:
    """What came of one run."""

    target: str
    executions: int
    seconds: int
    """Wall time."""
    edges: int
    """Edges of the package's code that are covered by the inputs kept."""
    features: int
    """What libFuzzer counts as different: edges, and how often they were taken."""
    inputs: int
    """Inputs kept."""
    crashes: list[str]
    """Files with inputs that crashed, were too slow or took too much memory."""
    slowest_ms: float
    """CPU time of the slowest input, done again without looking at what it covers."""
    slowest: str
    """The slowest input, in hexadecimal."""
    peak_mb: int
    """Of the process, caches included."""
    python: str
    atheris: str

    def __str__(self) -> str:
        speed = self.executions // max(1, self.seconds)
        return (
            f"{self.target}: {self.executions:,} executions in {self.seconds} s ({speed:,} a second), "
            f"{self.edges} edges, {self.inputs} inputs kept, {len(self.crashes)} crashes, "
            f"slowest input {self.slowest_ms:.2f} ms, peak memory {self.peak_mb} MB"
        )


def run(target: str, *, seconds: int = 0, executions: int = 0, folder: Path, verbose: bool = False) -> Run:
    """Fuzz one target for so many seconds or executions, whichever ends first; 0 is no limit."""
    inputs, crashes = folder / "inputs", folder / "crashes"
    for each in (inputs, crashes):
        each.mkdir(parents=True, exist_ok=True)
    unpack([*corpora.load(target), *TARGETS[target].seeds()], inputs)
    slowest_file = folder / "slowest.json"
    slowest_file.write_text("[]", encoding="ascii")
    began = time.monotonic()
    said = _libfuzzer(
        target, slowest_file,
        f"-max_total_time={seconds}", f"-runs={executions or -1}", f"-max_len={TARGETS[target].max_bytes}",
        f"-timeout={TOO_SLOW_S}", f"-rss_limit_mb={TOO_MUCH_MB}", "-print_final_stats=1", "-reload=0",
        f"-artifact_prefix={crashes}/", str(inputs),
        log=folder / "log", verbose=verbose,
    )  # fmt: skip
    took = time.monotonic() - began
    return _summary(target, said, round(took), slowest_file)


def _libfuzzer(target: str, slowest: Path, *arguments: str, log: Path, verbose: bool) -> str:
    """Run it to its end, and return what it said."""
    command = [sys.executable, "-m", "tests.fuzzing.child", target, str(slowest), *arguments]
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    ) as process, log.open("w", encoding="utf-8") as file:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            file.write(line)
            if verbose:
                sys.stderr.write(line)
    said = "".join(lines)
    if process.returncode and "stat::" not in said:
        raise RuntimeError(f"the fuzzer could not run; it said:\n{said[-4000:]}")
    return said


def _summary(target: str, said: str, seconds: int, slowest_file: Path) -> Run:
    statistics = {name: int(value) for name, value in _STATISTIC.findall(said)}
    reported = _NUMBERS.findall(said) or [("0", "0", "0", "0")]
    _, edges, features, kept = map(int, reported[-1])
    slow = [bytes.fromhex(each) for _, each in json.loads(slowest_file.read_text(encoding="ascii"))]
    slowest_ms, slowest = max(((cpu_ms(target, each), each) for each in slow), default=(0.0, b""))
    return Run(
        target=target,
        executions=statistics.get("number_of_executed_units", 0),
        seconds=seconds,
        edges=edges,
        features=features,
        inputs=kept,
        crashes=_CRASH.findall(said),
        slowest_ms=round(slowest_ms, 3),
        slowest=slowest.hex(),
        peak_mb=statistics.get("peak_rss_mb", 0),
        python=platform.python_version(),
        atheris=importlib.metadata.version("atheris"),
    )


def cpu_ms(target: str, data: bytes) -> float:
    """Milliseconds of CPU time that an input takes, at the fastest of some tries; one that crashes takes 0."""
    times = []
    for _ in range(REPLAYS):
        began = time.thread_time()
        try:
            TARGETS[target].fuzz_one(data)
        except Exception:  # noqa: BLE001 - it is reported elsewhere
            return 0.0
        times.append(time.thread_time() - began)
    return 1000 * min(times)


def unpack(inputs: Iterable[bytes], folder: Path) -> None:
    """Write each input to a file of its own, whose name follows from it."""
    for each in inputs:
        (folder / sha1(each).hexdigest()).write_bytes(each)


def keep(target: str, folder: Path) -> int:
    """Replace the committed inputs by the fewest of the folder that cover as much; returns how many those are.

    Of a slow target, as many edges is enough; of the others, edges taken as often.
    """
    fewest = folder / "fewest"
    fewest.mkdir(exist_ok=True)
    for each in fewest.iterdir():
        each.unlink()
    _libfuzzer(
        target, folder / "ignored.json",
        "-set_cover_merge=1", f"-use_counters={int(not TARGETS[target].is_slow)}",
        f"-max_len={TARGETS[target].max_bytes}",
        str(fewest), str(folder / "inputs"), log=folder / "merge.log", verbose=False,
    )  # fmt: skip
    corpora.save(target, [each.read_bytes() for each in fewest.iterdir()])
    return len(corpora.load(target))


def record(result: Run) -> None:
    """Add a run to the recorded ones."""
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(attrs.asdict(result)) + "\n")


def recorded() -> list[dict[str, Any]]:
    """The recorded runs, the oldest first."""
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()] if RESULTS.exists() else []
