"""The same plan gives the same run: in one process, in another, with other hash seeds and other Pythons."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from gossip.core.events import EventKind, MembershipEvent
from gossip.core.support.address import Address
from sims.plan import Plan
from sims.running import Run
from sims.scenarios import find
from sims.steps import Update
from sims.watching import TraceHash
from sims.world import Observer, Simulation

ROOT = Path(__file__).parents[2]
PROCESS_LIMIT_S = 60.0
"""Much longer than a process that only imports and runs the plans below can take."""

PLANS = [
    find("crash").plan(seed=3, nodes=8, loss=0.2, duration_s=12.0),
    find("swarm").plan(seed=1),
    find("wan").plan(seed=4, nodes=9, profile="wan", duration_s=20.0),
    find("churn").plan(seed=5, nodes=8, changes={"for_s": "10"}),
]

SCRIPT = """
import sys
from sims.plan import Plan
from sims.running import Run
for line in sys.stdin:
    print(Run(Plan.from_json(line)).run().trace_hash)
"""


def _hash(plan: Plan) -> str:
    return Run(plan).run().trace_hash


@pytest.fixture(scope="module")
def hashes() -> list[str]:
    """The trace hash of each plan, as this process finds it."""
    return [_hash(plan) for plan in PLANS]


def _python(executable: str, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [executable, *arguments],
        input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=PROCESS_LIMIT_S, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def _hashes_of(executable: str, **environment: str) -> list[str]:
    plans = "".join(f"{plan.to_json()}\n" for plan in PLANS)
    done = _python(executable, "-c", SCRIPT, stdin=plans, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_same_plan_gives_the_same_run_again(hashes: list[str]) -> None:
    assert [_hash(plan) for plan in PLANS] == hashes
    assert [_hash(Plan.from_json(plan.to_json())) for plan in PLANS] == hashes
    assert len(set(hashes)) == len(PLANS)


def test_another_process_with_another_hash_seed_finds_the_same(hashes: list[str]) -> None:
    another = "1" if os.environ.get("PYTHONHASHSEED") == "0" else "0"
    assert _hashes_of(sys.executable, PYTHONHASHSEED=another) == hashes


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_every_python_finds_the_same(version: str, hashes: list[str]) -> None:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip("this is the Python that runs the tests")
    executable = shutil.which(f"python{version}")
    if executable is None:
        pytest.skip(f"there is no python{version} on the path")
    can = _python(executable, "-c", "import sims.running, sims.scenarios")
    if can.returncode != 0:
        pytest.skip(f"{executable} does not start, or lacks the packages that the simulator needs")
    assert _hashes_of(executable) == hashes


# --- what makes a difference to the hash, and what does not


def test_another_seed_gives_another_run() -> None:
    plan = PLANS[0]
    assert _hash(attrs.evolve(plan, seed=plan.seed + 1)) != _hash(plan)


def test_a_step_a_millisecond_later_gives_another_run() -> None:
    plan = Plan(scenario="test", seed=1, nodes=4, steps=(Update(at=3.0, node="n1", metadata={}),), duration_s=10.0)
    later = attrs.evolve(plan, steps=(Update(at=3.001, node="n1", metadata={}),))
    assert _hash(later) != _hash(plan)


def _hash_of_one(hook: str, **changes: Any) -> str:
    """The hash after one call of an observer's hook, to which this and nothing else is told."""
    told = {"now": 1.0, "data": b"data", "port": 7946, "arrives": 0.5, "kind": EventKind.DIED, "alive": 3, **changes}
    hashing = TraceHash()
    sim = Simulation(observers=[hashing])
    node = sim.start("n0")
    sim.now, arrives = told["now"], told["arrives"]
    if hook == "sent":
        copies = [] if arrives is None else [(arrives, told["data"])]
        hashing.sent(node, told["data"], Address("10.0.0.2", told["port"]), copies, "")
    elif hook == "framed":
        hashing.framed(node, node, told["data"], arrives)
    else:
        hashing.happened(node, MembershipEvent(told["kind"], node.protocol.local, told["alive"], 0.0), None)
    return hashing.hexdigest


@pytest.mark.parametrize(
    ("hook", "change"),
    [
        ("sent", {"now": 1.0 + 2**-40}),
        ("sent", {"data": b"date"}),
        ("sent", {"port": 7947}),
        ("sent", {"arrives": 0.6}),
        ("sent", {"arrives": None}),
        ("framed", {"now": 1.1}),
        ("framed", {"data": b"date"}),
        ("framed", {"arrives": 0.3}),
        ("framed", {"arrives": None}),
        ("happened", {"now": 1.1}),
        ("happened", {"kind": EventKind.LEFT}),
        ("happened", {"alive": 2}),
    ],
    ids=repr,
)
def test_whatever_differs_in_a_datagram_a_frame_or_an_event_makes_another_hash(
    hook: str, change: dict[str, Any]
) -> None:
    assert _hash_of_one(hook) == _hash_of_one(hook)
    assert _hash_of_one(hook, **change) != _hash_of_one(hook)


def test_watching_changes_nothing() -> None:
    class Watcher(Observer):
        """Told of everything, down to its own undoing: it looks at every view each time."""

        looked = 0

        def handled(self, node: object) -> None:
            """Look."""
            self.looked += sum(len(each.protocol.members()) for each in self.sim.running)

    plan, watcher = PLANS[0], Watcher()
    seen = Run(plan, observers=[watcher]).run()
    unseen = Run(plan, checks=False).run()
    assert watcher.looked
    assert attrs.evolve(seen, wall_s=0.0) == attrs.evolve(unseen, wall_s=0.0)


def test_progress_is_told_once_a_virtual_second() -> None:
    told: list[float] = []
    plan = Plan(scenario="test", seed=1, nodes=2, duration_s=3.5)
    Run(plan).run(told.append)
    assert told == [1.0, 2.0, 3.0, 3.5]
