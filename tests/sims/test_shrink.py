"""A plan that breaks an invariant is made small, and becomes a test that fails as long as the fault is there.

The fault here is one put into the core on purpose: a member that has seen another one leave replaces its metadata
without raising the version. It takes a farewell and an update after it, and nothing else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from gossip.core.errors import ConfigurationError
from gossip.core.state.local import LocalMember
from gossip.core.state.member import Record
from gossip.core.support.address import Address
from sims.invariants import Violated
from sims.plan import Plan
from sims.reproduce import MAX_TRIALS, Shrunk, as_pytest, shrink, shrinking
from sims.running import Run
from sims.steps import AnyStep, Crash, Disturb, Forge, Leave, Pause, Reseed, Slow, Start, Step, Update
from sims.world import Constant, GilbertElliott, Link, LinkChange, Simulation

REPOSITORY = Path(__file__).parents[2]
PYTEST_TIMEOUT_S = 60

_announce = LocalMember.announce


def _announce_badly(member: LocalMember, now: float, *, metadata: Mapping[str, str] | None = None,
                    address: Address | None = None, above: int = 0) -> None:  # fmt: skip
    view = member._view
    if metadata is None or not view.gone():
        _announce(member, now, metadata=metadata, address=address, above=above)
    else:
        old = member.entry.registers.record
        view.merge(member.entry, now, record=Record(old.identity, old.version, old.address, metadata))


def put_fault_into_core(patch: pytest.MonkeyPatch) -> None:
    """What the farewell and the update bring to light."""
    patch.setattr(LocalMember, "announce", _announce_badly)


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> None:
    put_fault_into_core(monkeypatch)


CULPRITS: tuple[AnyStep, ...] = (
    Leave(at=2.0, node="n9"),
    Update(at=3.0, node="n4", metadata={"zone": "z"}),
)


def noisy_plan() -> Plan:
    """Twelve nodes and twenty steps, of which two matter."""
    noise: list[AnyStep] = []
    for number in range(6):
        noise += [
            Pause(at=0.6 + number / 3, node=f"n{(number * 5 + 1) % 12}", for_s=0.3),
            Slow(at=0.9 + number / 3, node=f"n{(number * 7 + 2) % 12}", for_s=0.5, handling_s=0.01),
            Disturb(at=0.7 + number / 3, for_s=0.5, sources=(f"n{number}",), change=LinkChange(loss=0.3)),
        ]
    return Plan(
        scenario="noise-of-all-kinds",
        seed=3,
        nodes=12,
        link=Link(loss=0.05, duplication=0.02, latency=Constant(0.002), bursts=GilbertElliott()),
        shape=(Disturb(at=0.0, for_s=0.0, sources=("n2",), change=LinkChange(loss=0.1)),),
        settings={"push_fanout": 3, "witnesses": 4},
        seeds=2,
        joins=True,
        steps=(*noise, *CULPRITS),
        duration_s=4.0,
        agree_within_s=2.0,
        spares="the healthy",
    )


TOLD: list[tuple[int, int]] = []
"""What the shrinking of the fixture told of its progress: trials, and steps that were left."""


@pytest.fixture(scope="module")
def shrunk() -> Shrunk:
    with pytest.MonkeyPatch.context() as patch:
        put_fault_into_core(patch)
        return shrink(noisy_plan(), progress=lambda trials, plan: TOLD.append((trials, len(plan.steps))))


def breaking(invariant: str) -> Callable[[Step, Simulation], None]:
    """What a step does under which an invariant breaks."""

    def begin(step: Step, sim: Simulation) -> None:
        raise Violated(invariant, f"{step} at {sim.now}")

    return begin


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=PYTEST_TIMEOUT_S, check=False,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip


def test_only_the_steps_and_nodes_that_matter_are_left(shrunk: Shrunk) -> None:
    plan = shrunk.plan
    assert [type(step) for step in plan.steps] == [Leave, Update]
    assert [step.at for step in plan.steps] == [2.0, 3.0]
    assert plan.nodes <= 3


def test_all_else_is_as_plain_as_it_can_be(shrunk: Shrunk) -> None:
    plan = shrunk.plan
    assert (plan.link, plan.shape, plan.settings, plan.joins) == (Link(), (), {}, False)
    assert (plan.agree_within_s, plan.spares) == (None, "nobody")
    assert 3.0 <= plan.ends < 5.0


def test_the_shrunk_plan_breaks_the_same_invariant(shrunk: Shrunk, fault: None) -> None:
    violations = Run(shrunk.plan).run().violations
    assert [each.invariant for each in violations] == ["NothingInvented"]
    assert violations == (shrunk.violation,)


def test_shrinking_again_leaves_the_same(shrunk: Shrunk, fault: None) -> None:
    assert shrink(shrunk.plan).plan == shrunk.plan


def test_progress_is_told_after_each_trial(shrunk: Shrunk) -> None:
    assert [trials for trials, _ in TOLD] == list(range(2, shrunk.trials + 1))
    left = [steps for _, steps in TOLD]
    assert left == sorted(left, reverse=True)
    assert f"from 20 steps, 12 nodes, 5.067 s to 2 steps, {shrunk.plan.nodes} nodes, 3.000 s" in str(shrunk)


def test_trials_are_bounded(shrunk: Shrunk, fault: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shrunk.trials < MAX_TRIALS
    assert "a smaller plan may exist" not in str(shrunk)
    monkeypatch.setattr(shrinking, "MAX_TRIALS", 5)
    cut_short = shrink(noisy_plan())
    assert cut_short.trials == 5
    assert cut_short == shrink(noisy_plan())
    assert "a smaller plan may exist" in str(cut_short)


def test_a_fault_that_needs_no_step_loses_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sims.invariants.limits.MAX_CHALLENGES", -1)
    plan = shrink(noisy_plan()).plan
    assert (plan.steps, plan.nodes) == ((), 2)
    assert plan.ends <= 1.0


def test_a_violation_found_at_the_end_only_ends_the_run_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether any healthy member was held dead is asked at the end; here all are, since nobody answers in time."""
    plan = Plan(
        scenario="deaf", seed=1, nodes=4, link=Link(latency=Constant(10.0)), duration_s=80.0, spares="the healthy"
    )
    done = shrink(plan)
    assert done.violation.invariant == "SparesTheLiving"
    assert done.plan.nodes == 2
    assert done.plan.ends <= 20.0
    assert done.plan.link == Link(latency=Constant(10.0))


def test_steps_go_with_the_nodes_and_starts_that_they_need(fault: None) -> None:
    """A step that names a node that is not there would be no fault of the core."""
    steps: tuple[AnyStep, ...] = (
        Start(at=0.5, node="x0", seeds=("n11",)),
        Start(at=1.0, node="x1", seeds=("x0",)),
        Reseed(at=1.2, node="n0", seeds=("x1", "n10")),
        Forge(at=1.4, node="n1", kind="suspicion", told=("n2", "x0")),
        Crash(at=1.6, node="x1"),
    )
    plan = shrink(attrs.evolve(noisy_plan(), steps=steps + CULPRITS)).plan
    assert [type(step) for step in plan.steps] == [Leave, Update]


def test_what_is_left_of_a_step_names_only_nodes_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disturb, "begin", breaking("Cut"))
    cut = Disturb(at=1.0, for_s=1.0, sources=("n1", "n7", "n9"))
    plan = shrink(attrs.evolve(noisy_plan(), steps=(cut,), shape=())).plan
    assert plan.nodes == 2
    (step,) = plan.steps
    assert isinstance(step, Disturb)
    assert step.sources
    assert set(step.sources) <= set(plan.keys)


def test_another_violation_is_another_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the first step the run would break something else at the second."""
    monkeypatch.setattr(Crash, "begin", breaking("Sought"))
    monkeypatch.setattr(Pause, "begin", breaking("Other"))
    both = (Crash(at=1.0, node="n0"), Pause(at=1.0, node="n1", for_s=1.0))
    done = shrink(attrs.evolve(noisy_plan(), steps=both, shape=()))
    assert done.violation.invariant == "Sought"
    assert [type(step) for step in done.plan.steps] == [Crash]


def test_a_core_that_raises_is_a_fault_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(step: Step, sim: Simulation) -> None:
        raise ZeroDivisionError(f"at {step.at}")

    monkeypatch.setattr(Crash, "begin", fall_over)
    done = shrink(attrs.evolve(noisy_plan(), steps=(*CULPRITS, Crash(at=3.0, node="n8")), shape=()))
    assert done.violation.invariant == "NothingRaises"
    assert done.violation.text.startswith("ZeroDivisionError('at 3.0') at test_shrink.py:")
    assert [type(step) for step in done.plan.steps] == [Crash]


def test_a_good_run_is_not_shrunk() -> None:
    with pytest.raises(ConfigurationError, match=r"seed 3 violates nothing, so it cannot be shrunk"):
        shrink(noisy_plan())


def test_leaving_out_nodes_changes_no_draw_of_the_others() -> None:
    plan = Plan(scenario="any", seed=5, nodes=8, link=Link(loss=0.3), duration_s=1.0)
    worlds = [Run(attrs.evolve(plan, nodes=nodes)) for nodes in (8, 3)]
    for world in worlds:
        world.run()
    (many, few) = [world.sim for world in worlds]
    for key in few.nodes:
        assert (few.nodes[key].id, few.nodes[key].address) == (many.nodes[key].id, many.nodes[key].address)
    fresh = [Run(attrs.evolve(plan, nodes=nodes)).sim.network for nodes in (8, 3)]
    one, other = few.nodes["n0"].address, few.nodes["n1"].address
    fates = [[network.directed(one, other).carry(b"text", 0.0) for _ in range(50)] for network in fresh]
    assert fates[0] == fates[1]
    assert [] in fates[0]


def test_the_written_test_fails_with_the_fault_and_passes_without(shrunk: Shrunk, tmp_path: Path) -> None:
    module = as_pytest(shrunk)
    namespace: dict[str, Any] = {}
    exec(compile(module, "test_shrunk.py", "exec"), namespace)
    namespace["test_noise_of_all_kinds_seed_3"]()
    (tmp_path / "test_shrunk.py").write_text(module, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\nfrom tests.sims.test_shrink import put_fault_into_core\n\n"
        "put_fault_into_core(pytest.MonkeyPatch())\n",
        encoding="utf-8",
    )
    failing = run_pytest(tmp_path)
    assert failing.returncode == 1, failing.stdout
    assert "test_noise_of_all_kinds_seed_3" in failing.stdout
    assert f"{shrunk.violation.invariant} at 3.000 s, seed 3" in failing.stdout


def test_the_written_test_holds_the_plan_in_readable_form(shrunk: Shrunk) -> None:
    module = as_pytest(shrunk)
    namespace: dict[str, object] = {}
    exec(compile(module, "test_shrunk.py", "exec"), namespace)
    plan = namespace["PLAN"]
    assert isinstance(plan, str)
    assert Plan.from_json(plan) == shrunk.plan
    assert '\n      "do": "Leave",\n' in module


@pytest.mark.parametrize("metadata", [{"text": "x" * 200}, {'"""': "\\", "é": '"'}])
def test_the_written_test_pleases_the_linter(shrunk: Shrunk, metadata: dict[str, str], tmp_path: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("the linter is not installed")
    step = Update(at=1.0, node="n0", metadata=metadata)
    plan = attrs.evolve(shrunk.plan, steps=(step,), seed=-7, scenario='odd "name"\\')
    file = tmp_path / "test_shrunk.py"
    file.write_text(as_pytest(attrs.evolve(shrunk, plan=plan)), encoding="utf-8")
    for arguments in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [ruff, *arguments, "--config", str(REPOSITORY / "pyproject.toml"), str(file)],
            capture_output=True, text=True, timeout=PYTEST_TIMEOUT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
    namespace: dict[str, object] = {}
    exec(compile(file.read_text(encoding="utf-8"), "test_shrunk.py", "exec"), namespace)
    assert "test_odd_name_seed_minus_7" in namespace
    assert Plan.from_json(str(namespace["PLAN"])) == plan
