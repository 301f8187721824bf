"""Trials of real agents: how they end, and what their command prints and keeps. No agent is started here."""

from __future__ import annotations

import logging
from pathlib import Path

import click
import pytest

from benchmarks.agents import command
from benchmarks.agents.judge import Rules
from benchmarks.agents.trial import SYSTEM, Finding, Trial
from benchmarks.analysis.samples import load
from benchmarks.environment.measuring import MeasurementFailed


class MadeUp(Trial):
    """A trial that does nothing but end in some way."""

    experiment = "made up"

    def __init__(self, end: BaseException | None = None, violations: int = 0) -> None:
        super().__init__(4, Rules(least_suspicion_s=1.0, known_within_s=1.0), 1.0, lambda _done, _what: None)
        self._end = end
        self._count = violations

    async def run(self) -> None:
        """End."""
        if self._end is not None:
            raise self._end

    def found(self, failure: str | None) -> Finding:
        """As many violations as wanted, and the failure."""
        violations = [f"number {number}" for number in range(self._count)]
        return Finding(
            samples=[self.sample("calm", {"done": 1.0}, seed=7)],
            violations=[*([failure] if failure else []), *violations],
            shown=["a summary"],
            what="agents in words",
        )


@pytest.fixture(autouse=True)
def no_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """These trials need no network."""
    monkeypatch.setattr(command, "enter_namespace", lambda: None)
    monkeypatch.setattr(logging, "disable", lambda _: None)


def carried_out(trial: Trial, file: Path | None = None) -> int:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        command.carry_out(lambda _step: trial, 1.0, file)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_trial_without_violations_ends_with_0_and_keeps_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carried_out(MadeUp(), tmp_path / "found.json") == 0
    assert capsys.readouterr().out.splitlines() == ["a summary", "nothing was violated"]
    results = load(tmp_path / "found.json")
    (sample,) = results.samples
    assert (sample.experiment, sample.system, sample.nodes, sample.seed) == ("made up", SYSTEM, 4, 7)
    assert results.systems == {SYSTEM: "agents in words"}
    assert "load_after" in results.machine


def test_violations_are_printed_up_to_a_number_and_all_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert carried_out(MadeUp(violations=command.MOST_SHOWN + 3), tmp_path / "found.json") == 1
    told = capsys.readouterr().out
    assert told.count("violated: number") == command.MOST_SHOWN
    assert "... and 3 more" in told
    assert len(load(tmp_path / "found.json").violations) == command.MOST_SHOWN + 3


def test_a_failure_is_a_violation(capsys: pytest.CaptureFixture[str]) -> None:
    assert carried_out(MadeUp(MeasurementFailed("an agent did not start"))) == 1
    assert "violated: an agent did not start" in capsys.readouterr().out


def test_after_an_interrupt_it_shows_what_was_found_until_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carried_out(MadeUp(KeyboardInterrupt()), tmp_path / "found.json") == 130
    told = capsys.readouterr()
    assert "a summary" in told.out
    assert told.err.endswith("interrupted; the tables show what was found until then\n")
    assert load(tmp_path / "found.json").samples


def test_a_trial_that_found_nothing_says_why() -> None:
    class Empty(MadeUp):
        def found(self, failure: str | None) -> Finding:
            return Finding(samples=[], violations=self.violations(failure), shown=[], what="")

    with pytest.raises(click.ClickException, match="the network was refused"):
        command.carry_out(lambda _step: Empty(MeasurementFailed("the network was refused")), 1.0, None)
    with pytest.raises(click.ClickException, match="before the first agent was started"):
        command.carry_out(lambda _step: Empty(KeyboardInterrupt()), 1.0, None)
