"""The quick run of everything beside a peer: what it gives, not how fast that is. Run with ``-m benchmark``."""

import warnings
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.sockets.experiments import EXPERIMENTS
from tests.benchmarks.commands import measure


@pytest.mark.benchmark
@pytest.mark.filterwarnings("default")
def test_a_quick_run_measures_everything_of_two_systems_or_says_why_not(tmp_path: Path) -> None:
    results = measure(tmp_path, "--quick")
    missing = {each.system: each.reason for each in results.skipped}
    for system, reason in missing.items():
        warnings.warn(f"{system} was not measured: {reason}", stacklevel=1)
    counts = Counter((each.system, each.experiment) for each in results.samples)
    for system in {"ours", "memberlist-lan"} - missing.keys():
        assert all(counts[system, experiment] for experiment in EXPERIMENTS), (system, counts)
    assert counts["ours", "limits"]
    assert counts["limit", "limits"]
    assert counts["ours", "micro"]
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
