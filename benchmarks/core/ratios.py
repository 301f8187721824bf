"""What was measured of updates and crashes, divided by the limits of theory."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from benchmarks.analysis.samples import Number, Sample
from sims.watching import percentile

EXPERIMENT = "limits"
COMPARED = "ours to limit"
"""System of the samples that compare measurements with the limits."""

UPDATE = "update"
UPDATE_LAN = "update, delays of a local network"
CRASH = "crash"

_ROUNDS = ("rounds_to_push_pull_formula_ratio", "rounds_to_push_pull_ratio")
TO_THE_LIMIT = {UPDATE: ("hops_to_limit_ratio", *_ROUNDS), UPDATE_LAN: _ROUNDS}
"""The ratios that have targets, by setting: to the hops that are needed if all nodes that know tell k others at each
hop, and to the rounds of plain push-pull, by its formula and simulated. Where delays differ, the fastest way has more
hops than the shortest, so only the time counts."""


def compared(samples: Iterable[Sample]) -> list[Sample]:
    """The measurements of each size, summed up and divided by their limits.

    There are a ratio to the limit as it is and a ratio to the limit in whole hops, below which no run can be.
    """
    by_place: dict[tuple[int, str], list[Sample]] = {}
    limit: dict[tuple[int, str], Sample] = {}
    for sample in samples:
        if sample.experiment == EXPERIMENT and sample.system == "limit":
            limit[sample.nodes, sample.setting] = sample
        elif sample.experiment == EXPERIMENT:
            by_place.setdefault((sample.nodes, sample.setting), []).append(sample)
    found = []
    for (nodes, setting), measured in sorted(by_place.items()):
        if setting == CRASH:
            numbers = _compared_crashes(measured, limit[nodes, CRASH])
        else:
            numbers = _compared_updates(measured, limit[nodes, UPDATE])
        found.append(Sample(experiment=EXPERIMENT, system=COMPARED, nodes=nodes, setting=setting, numbers=numbers))
    return found


def _compared_updates(measured: Sequence[Sample], limit: Sample) -> dict[str, Number]:
    hops, rounds = _all_of(measured, "last_hops"), _all_of(measured, "last_rounds")
    mean_hops, mean_rounds = statistics.fmean(hops), statistics.fmean(rounds)
    return {
        "repeats": len(measured),
        "missing_nodes": sum(_all_of(measured, "missing_nodes")),
        "mean_hops": mean_hops,
        "worst_hops": max(hops),
        "hops_to_limit_ratio": _ratio(mean_hops, limit, "limit_hops"),
        "hops_to_whole_limit_ratio": _ratio(mean_hops, limit, "limit_whole_hops"),
        "worst_hops_to_whole_limit_ratio": _ratio(max(hops), limit, "limit_whole_hops"),
        "hops_to_push_once_ratio": _ratio(mean_hops, limit, "push_once_mean_hops"),
        "mean_rounds": mean_rounds,
        "worst_rounds": max(rounds),
        "rounds_to_push_pull_formula_ratio": _ratio(mean_rounds, limit, "push_pull_formula_rounds"),
        "rounds_to_push_pull_ratio": _ratio(mean_rounds, limit, "push_pull_mean_rounds"),
        "rounds_to_push_pull_same_fan_out_ratio": _ratio(mean_rounds, limit, "push_pull_same_fan_out_mean_rounds"),
    }


def _compared_crashes(measured: Sequence[Sample], limit: Sample) -> dict[str, Number]:
    asked, whole = _all_of(measured, "asked_intervals"), _all_of(measured, "asked_whole_intervals")
    last = _all_of(measured, "last_dead_intervals")
    p99 = percentile(asked, 0.99)
    assert p99 is not None
    return {
        "repeats": len(measured),
        "missing_nodes": sum(_all_of(measured, "missing_nodes")),
        "asked_mean_intervals": statistics.fmean(asked),
        "asked_p99_intervals": p99,
        "asked_mean_whole_intervals": statistics.fmean(whole),
        "asked_to_random_ratio": _ratio(statistics.fmean(asked), limit, "random_mean_intervals"),
        "asked_p99_to_random_ratio": _ratio(p99, limit, "random_p99_intervals"),
        "asked_whole_to_random_ratio": _ratio(statistics.fmean(whole), limit, "random_mean_whole_intervals"),
        "last_dead_mean_intervals": statistics.fmean(last),
        "last_dead_to_asked_ratio": statistics.fmean(last) / statistics.fmean(asked),
        "last_dead_to_random_ratio": _ratio(statistics.fmean(last), limit, "random_mean_intervals"),
    }


def _all_of(samples: Iterable[Sample], name: str) -> list[float]:
    """The numbers of one name; infinite where something never happened."""
    return [math.inf if (number := sample.numbers[name]) is None else number for sample in samples]


def _ratio(value: float, limit: Sample, name: str) -> Number:
    against = limit.numbers[name]
    return value / against if against else None
