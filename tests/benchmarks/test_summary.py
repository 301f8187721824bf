"""What repetitions come to, whatever did not happen in some of them, and which of several files counts."""

from __future__ import annotations

import math
from pathlib import Path

import attrs
import pytest

from benchmarks.analysis.samples import Number, Sample, Skipped, UnusableResults, save
from benchmarks.analysis.sources import Source, machine_facts, read, samples_of, skipped_of
from benchmarks.analysis.summary import Stat, is_time, ratio, summary_of
from tests.benchmarks.made_up import MACHINE, REPEATS, results, sample


def stat_of(*values: Number, number: str = "last_s") -> Stat:
    summary = summary_of(
        Sample(experiment="update", system="ours", nodes=8, repeat=repeat, numbers={number: value})
        for repeat, value in enumerate(values)
    )
    (group,) = summary.groups.values()
    return group.stats[number]


def test_a_number_has_its_median_and_its_range() -> None:
    stat = stat_of(3.0, 1.0, 2.0, 10.0)
    assert (stat.median, stat.least, stat.most, stat.count, stat.never) == (2.5, 1.0, 10.0, 4, 0)


def test_what_never_happened_took_longer_than_anything() -> None:
    stat = stat_of(3.0, None, 1.0)
    assert (stat.median, stat.least, stat.most, stat.count, stat.never) == (3.0, 1.0, None, 3, 1)


@pytest.mark.parametrize("values", [(None, None, 1.0), (None, 1.0), (None,)])
def test_what_did_not_happen_in_half_of_the_repetitions_has_no_median(values: tuple[Number, ...]) -> None:
    assert stat_of(*values).median is None


def test_what_a_system_does_not_tell_is_no_number_and_not_never() -> None:
    stat = stat_of(None, 4.0, 2.0, number="suspicions")
    assert (stat.median, stat.most, stat.count, stat.never, stat.is_told) == (3.0, 4.0, 3, 0, True)
    silent = stat_of(None, None, number="suspicions")
    assert (silent.median, silent.never, silent.is_told) == (None, 0, False)


def test_rates_are_no_times() -> None:
    assert is_time("last_s")
    assert not is_time("bytes_per_node_s")
    assert not is_time("median_us")


@pytest.mark.parametrize(
    ("ours", "peer", "factor"),
    [
        ((2.0,), (8.0,), 4.0),
        ((2.0,), (None,), math.inf),
        ((None,), (8.0,), 0.0),
        ((None,), (None,), None),
        ((0.0,), (0.0,), None),
        ((0.0,), (1.0,), math.inf),
    ],
)
def test_a_peer_is_compared_with_ours(ours: tuple[Number], peer: tuple[Number], factor: Number) -> None:
    assert ratio(stat_of(*ours), stat_of(*peer)) == factor


def test_a_system_that_was_not_measured_is_compared_with_nothing() -> None:
    assert ratio(stat_of(1.0), None) is None


def test_samples_are_grouped_by_all_that_is_no_chance() -> None:
    summary = summary_of(results().samples)
    stat = summary.stat("crash", "ours", 32, "last_s", "25 % loss")
    assert stat is not None
    assert stat.count == REPEATS
    assert summary.systems("crash")[:2] == ("ours", "ours-processes")
    assert summary.settings("crash") == ("", "25 % loss")
    assert summary.nodes("crash") == (8, 32, 64, 128)
    assert summary.stat("crash", "ours", 16, "last_s") is None


def test_times_of_all_repetitions_are_kept_together() -> None:
    group = next(
        iter(
            summary_of(
                [
                    sample("update", "ours", 3, times_s=(0.1, 0.4), missing=0.0),
                    sample("update", "ours", 3, repeat=1, times_s=(0.2,), missing=1.0),
                ]
            ).groups.values()
        )
    )
    assert group.times_s == (0.1, 0.2, 0.4)
    assert group.missing == 1


def source(name: str, *samples: Sample) -> Source:
    return Source(name, results(list(samples)))


def test_what_was_measured_again_replaces_what_was_measured_before() -> None:
    old = source("old", sample("update", "ours", 8, last_s=1.0), sample("join", "ours", 8, last_s=1.0))
    new = source("new", sample("update", "ours", 8, last_s=2.0))
    found = {each.experiment: each.numbers["last_s"] for each in samples_of([old, new])}
    assert found == {"update": 2.0, "join": 1.0}


def test_what_another_file_holds_was_not_skipped() -> None:
    without, later = source("a"), source("b", sample("heal", "swim-protocol", 8, last_s=1.0))
    later = attrs.evolve(later, results=attrs.evolve(later.results, skipped=()))
    assert len(skipped_of([without])) == 1
    assert skipped_of([without, later]) == ()


def test_what_failed_beside_what_was_measured_is_still_told() -> None:
    failed = Skipped(experiment="crash", system="memberlist-lan", nodes=64, reason="7 nodes did not see it")
    first = source("a", sample("crash", "memberlist-lan", 64, last_s=8.0), sample("crash", "memberlist-lan", 8))
    first = attrs.evolve(first, results=attrs.evolve(first.results, skipped=(failed,)))
    assert skipped_of([first]) == (failed,)
    assert failed in skipped_of([first, source("b", sample("crash", "memberlist-lan", 8, last_s=6.0))])
    assert failed not in skipped_of([first, source("b", sample("crash", "memberlist-lan", 64, last_s=8.0))])


def test_a_file_is_read_as_it_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    save(results(), file)
    assert summary_of(read(file).results.samples) == summary_of(results().samples)


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("[]")
    with pytest.raises(UnusableResults, match=r"results\.json"):
        read(tmp_path / "results.json")


def test_every_fact_about_a_machine_is_one_line() -> None:
    facts = machine_facts(MACHINE)
    assert facts["versions"] == "python 3.11.7, go 1.22"
    assert facts["load before"] == "0.1, 0.2, 0.3"
