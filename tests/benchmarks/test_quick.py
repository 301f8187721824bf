"""The quick run of everything beside a peer: what it gives, not how fast that is. Run with ``-m benchmark``."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.experiments import EXPERIMENTS
from tests.benchmarks.commands import measure


@pytest.mark.benchmark
def test_a_quick_run_measures_everything_of_two_systems_or_says_why_not(tmp_path: Path) -> None:
    results = measure(tmp_path, "--quick")
    missing = {each.system: each.reason for each in results.skipped}
    print(*(f"skipped: {system}: {reason}" for system, reason in missing.items()), sep="\n")
    counts = Counter((each.system, each.experiment) for each in results.samples)
    for system in {"ours", "memberlist-lan"} - missing.keys():
        assert all(counts[system, experiment] for experiment in EXPERIMENTS), (system, counts)
    assert "ours" not in missing
    for sample in results.samples:
        assert sample.numbers
        assert list(sample.times_s) == sorted(sample.times_s)
        assert all(
            value is None or value >= 0 or name == "datagrams_per_node" for name, value in sample.numbers.items()
        )
    healthy = [
        each for each in results.samples if each.system == "ours" and each.experiment in ("slow", "lossy", "crash")
    ]
    assert healthy
    assert not any(each.numbers["false_deaths"] for each in healthy)
