"""Commands that run real agents: an upgrade, and keys rolled over. Run with ``-m benchmark``."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.agents import versions
from benchmarks.agents.keys import replacement
from benchmarks.analysis.samples import Results, load
from benchmarks.environment.builds import Unavailable
from gossip.security.keyring import PLAIN, Key, Keyring
from tests.benchmarks.commands import LIMIT_S, why_no_network
from tests.rst import ROOT


def measured(folder: Path, command: str, *arguments: str) -> Results:
    """Run a command that must violate nothing; what it kept."""
    if (reason := why_no_network()) is not None:
        pytest.skip(reason)
    file = folder / "found.json"
    line = [sys.executable, "-m", "benchmarks.endurance", command, *arguments, "--json", str(file)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was violated" in done.stdout
    return load(file)


@pytest.mark.benchmark
def test_keys_are_rolled_over_running_agents_without_a_change_of_membership(tmp_path: Path) -> None:
    (sample,) = measured(tmp_path, "rotation", "--agents", "8").samples
    assert (sample.numbers["steps"], sample.numbers["changes_of_membership"]) == (9, 0)
    assert (sample.numbers["missing"], len(sample.times_s)) == (0, 0)


@pytest.mark.benchmark
def test_agents_are_replaced_one_by_one_and_back_again(tmp_path: Path) -> None:
    results = measured(tmp_path, "upgrade", "--from", "HEAD", "--agents", "4")
    general = results.samples[0]
    assert general.numbers["replaced"] == 8
    assert general.numbers["false_deaths"] == 0
    assert {sample.setting for sample in results.samples} > {"killed", "metadata changed", "left"}


def test_a_version_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Unavailable, match="there is no tag, branch or commit 'never'"):
        versions.version_of("never")


def test_a_key_is_replaced_in_three_steps_of_which_two_that_follow_each_other_understand_each_other() -> None:
    old, new = Key.generate(), Key.generate()
    for first, second in ((PLAIN, old), (old, new), (new, PLAIN)):
        rings = [Keyring.of(first), *replacement(Keyring.of(first), second)]
        assert len(rings) == 4
        assert rings[-1] == Keyring.of(second)
        for before, after in itertools.pairwise(rings):
            assert before.in_use in after.keys
            assert after.in_use in before.keys
