"""Targets are met, missed or not measured, and never met for lack of measurements."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from benchmarks.analysis.samples import Number, Sample
from benchmarks.analysis.summary import summary_of
from benchmarks.report.targets import TARGETS, verdicts_of
from benchmarks.report.verdicts import Outcome, Verdict
from tests.benchmarks.made_up import results

Change = Callable[[Sample], Sample | None]


def verdict_on(claim: str, change: Change = lambda sample: sample) -> Verdict:
    """What is said of the target whose claim begins so, after a change to every sample; None drops it."""
    changed = (change(sample) for sample in results().samples)
    found = verdicts_of(summary_of(sample for sample in changed if sample is not None))
    (verdict,) = [each for each in found if each.claim.startswith(claim)]
    return verdict


def with_number(sample: Sample, **numbers: Number) -> Sample:
    return attrs.evolve(sample, numbers={**sample.numbers, **numbers})


def slower(experiment: str, nodes: int, last_s: Number, repeats: tuple[int, ...] = (0, 1, 2)) -> Change:
    """Ours takes so long."""

    def change(sample: Sample) -> Sample:
        is_it = (sample.experiment, sample.system, sample.nodes) == (experiment, "ours", nodes)
        return with_number(sample, last_s=last_s) if is_it and sample.repeat in repeats else sample

    return change


def without(experiment: str, nodes: int) -> Change:
    return lambda sample: None if (sample.experiment, sample.nodes) == (experiment, nodes) else sample


FASTER = {
    "join": "join: memberlist-lan takes longer",
    "update": "update: memberlist-lan takes longer",
    "crash": "crash: memberlist-lan takes longer",
    "leave": "leave: memberlist-lan takes longer",
}


@pytest.mark.parametrize("experiment", FASTER)
def test_being_faster_has_to_hold_at_every_size(experiment: str) -> None:
    claim = FASTER[experiment]
    assert verdict_on(claim).outcome is Outcome.MET
    assert verdict_on(claim, slower(experiment, 64, 1e3)).outcome is Outcome.MISSED
    assert verdict_on(claim, slower(experiment, 64, None)).outcome is Outcome.MISSED
    assert verdict_on(claim, without(experiment, 64)).outcome is Outcome.NOT_MEASURED


def test_one_missed_size_counts_even_if_another_was_not_measured() -> None:
    def change(sample: Sample) -> Sample | None:
        kept = without("update", 8)(sample)
        return kept and slower("update", 64, 1e3)(kept)

    assert verdict_on(FASTER["update"], change).outcome is Outcome.MISSED


def test_a_peer_that_never_gets_there_is_slower() -> None:
    def change(sample: Sample) -> Sample:
        is_it = (sample.experiment, sample.system) == ("update", "memberlist-lan")
        return with_number(sample, last_s=None) if is_it else sample

    found = verdict_on(FASTER["update"], change)
    assert found.outcome is Outcome.MET
    assert "never with memberlist-lan" in found.measured


def test_so_many_times_is_more_than_just_faster() -> None:
    at_128 = slower("update", 128, 0.01)
    assert verdict_on(FASTER["update"], at_128).outcome is Outcome.MET
    assert verdict_on("update: memberlist-lan takes at least 8 times", at_128).outcome is Outcome.MISSED


def test_a_single_slow_repetition_spoils_the_longest_but_not_the_median() -> None:
    once = slower("crash", 32, 1e3, repeats=(1,))
    assert verdict_on(FASTER["crash"], once).outcome is Outcome.MET
    assert verdict_on("crash: the longest of ours", once).outcome is Outcome.MISSED


@pytest.mark.parametrize(
    ("claim", "number", "too_much"),
    [
        ("idle: datagrams", "datagrams_per_node_s", 2.6),
        ("idle: bytes", "bytes_per_node_s", 257.0),
        ("idle: CPU", "cpu_ms_per_node_s", 2.0),
        ("idle: memory", "memory_kib_per_node", 1e6),
    ],
)
def test_idling_must_not_cost_too_much(claim: str, number: str, too_much: float) -> None:
    def change(sample: Sample) -> Sample:
        return with_number(sample, **{number: too_much}) if sample.system == "ours" and sample.nodes == 8 else sample

    assert verdict_on(claim).outcome is Outcome.MET
    assert verdict_on(claim, change).outcome is Outcome.MISSED
    assert verdict_on(claim, without("idle", 32)).outcome is Outcome.NOT_MEASURED


@pytest.mark.parametrize(
    ("numbers", "outcome"),
    [
        ({"false_deaths": 0.0, "minutes": 10.0}, Outcome.MET),
        ({"false_deaths": 1.0, "minutes": 10.0}, Outcome.MISSED),
        ({"false_deaths": 1.0, "minutes": 1.0}, Outcome.MISSED),
        ({"false_deaths": 0.0, "minutes": 1.0}, Outcome.NOT_MEASURED),
    ],
)
def test_a_short_run_without_a_false_death_proves_nothing(numbers: dict[str, Number], outcome: Outcome) -> None:
    def change(sample: Sample) -> Sample:
        is_it = (sample.experiment, sample.system) == ("lossy", "ours")
        return with_number(sample, **numbers) if is_it else sample

    found = verdict_on("lossy", change)
    assert found.outcome is outcome
    assert f"{numbers['false_deaths']:.0f} (9)" in found.measured


def test_false_deaths_of_the_slow_are_counted_for_each_time_they_stand() -> None:
    assert verdict_on("slow").outcome is Outcome.MET
    assert verdict_on("slow").measured == "2 s: 0 (7); 8 s: 0 (7); 16 s: 0 (7)"

    def change(sample: Sample) -> Sample:
        is_it = (sample.experiment, sample.system, sample.setting) == ("slow", "ours", "16 s")
        return with_number(sample, false_deaths=1.0) if is_it else sample

    assert verdict_on("slow", change).outcome is Outcome.MISSED
    only_two = verdict_on("slow", lambda sample: None if sample.setting == "8 s" else sample)
    assert only_two.outcome is Outcome.NOT_MEASURED


def test_every_ratio_to_a_limit_is_looked_at() -> None:
    assert verdict_on("limits").outcome is Outcome.MET

    def change(sample: Sample) -> Sample:
        return (
            with_number(sample, rounds_to_push_pull_ratio=1.6)
            if sample.nodes == 1000 and sample.system == "ours to limit"
            else sample
        )

    found = verdict_on("limits", change)
    assert found.outcome is Outcome.MISSED
    assert "update, mean delays / push-pull, simulated: 1.60 (1,000 nodes)" in found.measured


def test_without_samples_nothing_is_met() -> None:
    found = verdicts_of(summary_of([]))
    assert {each.outcome for each in found} == {Outcome.NOT_MEASURED}
    assert {each.measured for each in found} == {""}


def test_no_two_targets_claim_the_same() -> None:
    assert len({target.claim for target in TARGETS}) == len(TARGETS)
