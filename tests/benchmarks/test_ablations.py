"""Ablations: each is the protocol as built with one setting changed."""

from __future__ import annotations

import pytest

from benchmarks.ablations import ABLATIONS, AS_BUILT, Ablation
from benchmarks.simulation.jobs import Job, do
from gossip.core.config import Config
from sims.scenarios import find


@pytest.mark.parametrize("ablation", ABLATIONS, ids=lambda each: each.name)
def test_each_ablation_but_the_first_changes_the_configuration(ablation: Ablation) -> None:
    config = Config.lan(**ablation.settings)
    assert (config == Config.lan()) == (ablation is AS_BUILT)


def test_a_job_runs_its_plan_with_the_settings_of_its_ablation() -> None:
    plan = find("steady").plan(nodes=4, duration_s=5.0)
    without_push = next(each for each in ABLATIONS if each.settings.get("push_fanout") == 0)
    job = Job.of(plan, without_push)
    assert job.plan.config.push_fanout == 0
    assert do(job).is_good
