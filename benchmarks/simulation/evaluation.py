"""What each setting of the protocol is worth, as tables.

Each ablation changes one setting, in the same runs: crashes and updates one after the other in clusters of several
sizes, at several rates of loss, and with members that are blocked again and again.
"""

from __future__ import annotations

import json
import logging
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import attrs
import click

from benchmarks.ablations import ABLATIONS, Ablation
from benchmarks.environment.measuring import machine
from benchmarks.environment.terminal import console, progress_bar
from benchmarks.report.simulated import ablation_tables
from benchmarks.report.text import rich_table
from benchmarks.simulation.jobs import Job, do_all
from sims.plan import Plan
from sims.running import Outcome
from sims.scenarios import find
from sims.steps import AnyStep, Crash, Update
from sims.watching import percentile
from sims.world import Link, derived_random

EVERY_S = 7.0
"""Virtual seconds between two crashes, and between two updates: usually each is over when the next comes."""

TIMES = {32: 6, 128: 6, 1000: 3}
"""Crashes and updates in each run, for each size of cluster."""

RUNS = {32: 6, 128: 2, 1000: 1}
"""Runs for each size."""

LOSSES = (0.0, 0.05, 0.25)

SLOW_RUNS = 1
SLOW = {"blocked": "16", "block_s": "8", "awake_s": "0.25", "for_s": "60"}
"""The members that are blocked, in seconds, in a cluster of 128."""


def trial(nodes: int, loss: float, seed: int) -> Plan:
    """A run with crashes and updates in turn."""
    dice = derived_random(seed, "trial", nodes)
    times = TIMES[nodes]
    keys = dice.sample([f"n{number}" for number in range(3, nodes)], 2 * times)
    steps: list[AnyStep] = []
    for number in range(times):
        at = 5.0 + number * EVERY_S + dice.random()
        steps.append(Crash(at=at, node=keys[number]))
        steps.append(Update(at=at + EVERY_S / 2, node=keys[times + number], metadata={"number": str(number)}))
    duration_s = 5.0 + times * EVERY_S + 4.0
    return Plan(
        scenario="trial", seed=seed, nodes=nodes, link=Link(loss=loss), steps=tuple(steps), duration_s=duration_s
    )


@attrs.frozen(kw_only=True)
class Cell:
    """What one ablation did under one condition."""

    ablation: str
    condition: str
    crash_p50_s: float | None
    crash_p99_s: float | None
    update_p50_s: float | None
    update_p99_s: float | None
    missing: int
    """Members that never learnt of something, over all pieces of news."""
    false_deaths: int
    """Views of a healthy member as dead."""
    suspicions: int
    datagrams: float
    """Sent per node and second."""
    bytes: float


def cell(ablation: Ablation, condition: str, outcomes: Sequence[Outcome]) -> Cell:
    """The figures of some runs together."""
    crashes = [each.last_dead_s or math.inf for outcome in outcomes for each in outcome.crashes]
    updates = [each.last_s or math.inf for outcome in outcomes for each in outcome.updates]
    missing = [each.missing for outcome in outcomes for each in outcome.crashes]
    missing += [each.missing for outcome in outcomes for each in outcome.updates]
    wrongs = [outcome.false_deaths for outcome in outcomes]
    return Cell(
        ablation=ablation.name,
        condition=condition,
        crash_p50_s=percentile(crashes, 0.5),
        crash_p99_s=percentile(crashes, 0.99),
        update_p50_s=percentile(updates, 0.5),
        update_p99_s=percentile(updates, 0.99),
        missing=sum(missing),
        false_deaths=sum(each.healthy_by_healthy + each.healthy_by_impaired for each in wrongs),
        suspicions=sum(outcome.suspicions for outcome in outcomes),
        datagrams=statistics.mean(outcome.per_node_s.datagrams_sent for outcome in outcomes),
        bytes=statistics.mean(outcome.per_node_s.bytes_sent for outcome in outcomes),
    )


def conditions(sizes: Sequence[int], first_seed: int, share: float) -> dict[str, list[Plan]]:
    """The plans of each condition, by its name."""

    def few(count: int) -> range:
        return range(first_seed, first_seed + max(1, round(count * share)))

    found = {
        f"{nodes} members, {loss:.0%} loss": [trial(nodes, loss, seed) for seed in few(RUNS[nodes])]
        for nodes in sizes
        for loss in LOSSES
    }
    found["128 members, 16 of them blocked"] = [
        find("slow-nodes").plan(nodes=128, seed=seed, changes=SLOW) for seed in few(SLOW_RUNS)
    ]
    return found


def measure(sizes: Sequence[int], seed: int, share: float, jobs: int | None) -> list[Cell]:
    """All cells, with a progress bar on standard error."""
    work = [
        (ablation, condition, plan)
        for condition, plans in conditions(sizes, seed, share).items()
        for ablation in ABLATIONS
        for plan in plans
    ]
    with progress_bar() as progress:
        task = progress.add_task("ablations", total=len(work))
        outcomes = do_all([Job.of(plan, ablation) for ablation, _, plan in work], lambda: progress.advance(task), jobs)
    grouped: dict[tuple[str, str], list[Outcome]] = {}
    for (ablation, condition, _), outcome in zip(work, outcomes, strict=True):
        grouped.setdefault((condition, ablation.name), []).append(outcome)
    by_name = {ablation.name: ablation for ablation in ABLATIONS}
    return [cell(by_name[name], condition, found) for (condition, name), found in grouped.items()]


@click.command(short_help="Make each choice in the protocol otherwise.")
@click.option(
    "--nodes", type=click.Choice([str(nodes) for nodes in RUNS]), multiple=True,
    help="Measure only this size; may be repeated.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--share", type=click.FloatRange(0.01, 10), default=1.0, help="Share of the usual number of runs.")
@click.option("--jobs", type=click.IntRange(1), help="Runs at once. Default: one for each core.")
@click.option(
    "--results", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this file, as JSON."
)
def main(nodes: tuple[str, ...], seed: int, share: float, jobs: int | None, results: Path | None) -> None:
    """Measure every ablation and print the tables."""
    logging.disable(logging.CRITICAL)
    cells = measure([int(each) for each in nodes] or list(RUNS), seed, share, jobs)
    told = [attrs.asdict(each) for each in cells]
    for table in ablation_tables(told):
        console().print(rich_table(table))
    if results is not None:
        text = json.dumps({"seed": seed, "machine": machine(), "cells": told}, indent=1)
        results.write_text(text + "\n", encoding="utf-8")
