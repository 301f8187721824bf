"""Steps: each does what it says, undoes itself at its end, and knows which nodes it concerns."""

from __future__ import annotations

import pytest

from gossip.core.state.member import Status
from sims.plan import Plan
from sims.running import Run
from sims.steps import (
    FORGERIES,
    AnyStep,
    Block,
    Crash,
    Disturb,
    Drift,
    Forge,
    Hold,
    Leave,
    Pause,
    Reseed,
    Restart,
    Slow,
    Start,
    Step,
    Update,
)
from sims.world import LinkChange
from tests.core.worlds import cluster, dropped, expect, expect_agreement, expect_seen
from tests.sims.watchers import Notes

ABSENT: list[AnyStep] = [
    Crash(at=1, node="nobody"),
    Restart(at=1, node="nobody"),
    Leave(at=1, node="nobody"),
    Update(at=1, node="nobody", metadata={}),
    Reseed(at=1, node="nobody", seeds=[]),
    Pause(at=1, for_s=1, node="nobody"),
    Block(at=1, for_s=1, node="nobody"),
    Slow(at=1, for_s=1, node="nobody", handling_s=1),
    Drift(at=1, for_s=1, node="nobody", rate=2),
    Disturb(at=1, for_s=1, sources=["nobody"]),
    Hold(at=1, for_s=1, sources=["nobody"]),
    Forge(at=1, node="nobody", kind="death", told=["n0"]),
    Forge(at=1, node="n0", kind="counter", told=["nobody"]),
]


def in_order(parameter: object) -> str:
    """How a parameter is called in the name of a test: the same in every process, unlike ``repr`` of a set."""
    return repr(sorted(parameter) if isinstance(parameter, set) else parameter)


# --- when


def test_a_run_begins_and_ends_each_step_at_its_time() -> None:
    notes = Notes()
    pause, crash = Pause(at=2.0, for_s=1.5, node="n1"), Crash(at=3.0, node="n2")
    Run(Plan(scenario="test", seed=1, nodes=3, steps=(crash, pause), duration_s=5.0), observers=[notes]).run()
    assert notes.all == [(2.0, f"begin {pause}"), (3.0, f"begin {crash}"), (3.5, f"end {pause}")]


@pytest.mark.parametrize("step", ABSENT, ids=in_order)
def test_a_step_about_somebody_who_is_not_there_does_nothing(step: AnyStep) -> None:
    sim = cluster(2)
    before = {key: (node.id, node.protocol.fingerprint) for key, node in sim.nodes.items()}
    step.begin(sim)
    sim.run(step.until - step.at)
    step.end(sim)
    assert {key: (node.id, node.protocol.fingerprint) for key, node in sim.nodes.items()} == before
    assert sim.all_agree()


# --- what happens at one moment


def test_start_adds_a_member_that_joins_through_its_seeds() -> None:
    sim = cluster(3)
    step = Start(at=0, node="x", seeds=["n1"])
    step.begin(sim)
    expect_agreement(sim, within=5)
    assert sim.nodes["x"].name == "x"
    before = sim.nodes["x"]
    step.begin(sim)
    assert sim.nodes["x"] is before, "it runs already"


def test_start_may_give_a_second_process_a_name_that_is_taken() -> None:
    sim = cluster(3)
    Start(at=0, node="rival", name="n1").begin(sim)
    assert sim.nodes["rival"].name == sim.nodes["n1"].name == "n1"
    assert sim.nodes["rival"].id != sim.nodes["n1"].id
    expect(sim, lambda: any(node.told("conflict", "n1") for node in sim.running), within=10, why="a conflict")


def test_crash_ends_a_process_without_a_word() -> None:
    sim = cluster(4)
    Crash(at=0, node="n1").begin(sim)
    assert not sim.nodes["n1"].running
    expect_seen(sim, "n1", "dead", within=16)
    Crash(at=0, node="n1").begin(sim)


@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("moves", [True, False])
def test_restart_makes_a_new_process_at_the_same_address_or_another(moves: bool, runs: bool) -> None:
    sim = cluster(4)
    before = sim.nodes["n1"]
    if not runs:
        sim.crash("n1")
    sim.run(1.0)
    Restart(at=0, node="n1", seeds=["n0", "gone"], moves=moves).begin(sim)
    after = sim.nodes["n1"]
    assert not before.running
    assert after.running
    assert (after.address != before.address) is moves
    assert after.protocol.local.generation > before.protocol.local.generation
    expect_agreement(sim, within=10)


def test_leave_says_farewell_and_ends_once_it_is_heard() -> None:
    sim = cluster(4)
    Leave(at=0, node="n1").begin(sim)
    assert not sim.nodes["n1"].is_member
    sim.run(0.5 * sim.config.leave_timeout)
    assert not sim.nodes["n1"].running
    assert sim.all_see("n1", "left")


def test_leave_ends_when_patience_is_over_though_nobody_hears_it() -> None:
    sim = cluster(4)
    sim.network.cut("all", lambda _source, _destination: True)
    Leave(at=0, node="n1").begin(sim)
    sim.run(0.9 * sim.config.leave_timeout)
    assert sim.nodes["n1"].running
    sim.run(0.2 * sim.config.leave_timeout)
    assert not sim.nodes["n1"].running


def test_a_process_that_replaces_a_leaving_one_is_not_ended_with_it() -> None:
    sim = cluster(4)
    sim.network.cut("all", lambda _source, _destination: True)
    Leave(at=0, node="n1").begin(sim)
    sim.run(0.5)
    Restart(at=0, node="n1").begin(sim)
    sim.run(2 * sim.config.leave_timeout)
    assert sim.nodes["n1"].running


def test_update_replaces_the_metadata_of_a_member_that_runs() -> None:
    sim = cluster(3)
    Update(at=0, node="n1", metadata={"zone": "b"}).begin(sim)
    sim.run(1.0)
    assert [dict(node.protocol.get("n1").metadata) for node in sim.running] == [{"zone": "b"}] * 3  # type: ignore[union-attr]
    sim.crash("n1")
    version = sim.nodes["n1"].protocol.local.version
    Update(at=0, node="n1", metadata={"zone": "c"}).begin(sim)
    assert sim.nodes["n1"].protocol.local.version == version, "nobody is there to do it"


def test_reseed_tells_a_lonely_node_where_the_others_are() -> None:
    sim = cluster(3)
    sim.start("lonely")
    sim.run(5.0)
    assert not sim.all_agree()
    Reseed(at=0, node="lonely", seeds=["n1"]).begin(sim)
    expect_agreement(sim, within=5)


# --- what lasts


def test_pause_lets_nothing_run_until_it_ends() -> None:
    sim = cluster(3)
    step = Pause(at=sim.now, for_s=3.0, node="n1")
    before = sim.nodes["n1"].protocol.stats.datagrams_received
    step.begin(sim)
    sim.run(2.9)
    assert sim.nodes["n1"].protocol.stats.datagrams_received == before
    sim.run(0.2)
    step.end(sim)
    assert sim.nodes["n1"].protocol.stats.datagrams_received > before


def test_block_lets_a_node_neither_receive_nor_send_until_it_ends() -> None:
    sim = cluster(3)
    step = Block(at=sim.now, for_s=2.0, node="n1")
    before, sent = sim.nodes["n1"].protocol.stats, sim.datagrams
    step.begin(sim)
    sim.run(1.9)
    assert sim.nodes["n1"].protocol.stats.datagrams_received == before.datagrams_received
    assert sim.nodes["n1"].protocol.stats.datagrams_sent > before.datagrams_sent, "its timers go on"
    sim.run(0.2)
    step.end(sim)
    assert sim.nodes["n1"].protocol.stats.datagrams_received > before.datagrams_received
    assert sim.datagrams > sent


def test_slow_makes_a_node_slow_and_fast_again() -> None:
    sim = cluster(3)
    step = Slow(at=0, for_s=1, node="n1", handling_s=0.2)
    step.begin(sim)
    assert sim.nodes["n1"].slowness == 0.2
    sim.run(3.0)
    step.end(sim)
    assert sim.nodes["n1"].slowness == 0.0
    assert not sim.nodes["n1"].inbox


def test_drift_lets_a_clock_run_at_another_rate_and_right_again() -> None:
    sim = cluster(2)
    step = Drift(at=0, for_s=1, node="n1", rate=1.5)
    clock, now = sim.nodes["n1"].clock, sim.now
    step.begin(sim)
    assert clock.local(now + 10) == pytest.approx(now + 15)
    step.end(sim)
    assert clock.local(now + 10) == pytest.approx(now + 10)


@pytest.mark.parametrize(
    "step", [Slow(at=0, for_s=1, node="n1", handling_s=0.2), Drift(at=0, for_s=1, node="n1", rate=2)]
)
def test_the_end_of_a_step_finds_the_process_replaced_and_is_harmless(step: AnyStep) -> None:
    sim = cluster(3)
    step.begin(sim)
    sim.crash("n1")
    sim.start("n1", seeds=["n0"])
    step.end(sim)
    assert (sim.nodes["n1"].slowness, sim.nodes["n1"].clock.rate) == (0.0, 1.0)
    expect_agreement(sim, within=10)


# --- forgeries


@pytest.mark.parametrize(
    ("kind", "believed"),
    [
        ("suspicion", Status.SUSPECT),
        ("death", Status.SUSPECT),
        ("distant death", Status.SUSPECT),
        ("farewell", Status.LEFT),
        ("counter", Status.ALIVE),
        ("absurd counter", Status.ALIVE),
    ],
)
def test_a_lie_is_told_to_those_named_and_the_member_gets_over_it(kind: str, believed: Status) -> None:
    sim = cluster(4)
    received = {key: node.protocol.stats.datagrams_received for key, node in sim.nodes.items()}
    target = sim.nodes["n1"].id
    Forge(at=0, node="n1", kind=kind, told=["n2", "n3"]).begin(sim)
    told = {key for key, node in sim.nodes.items() if node.protocol.stats.datagrams_received > received[key]}
    assert told == {"n2", "n3"}
    assert sim.tainted == {target}
    assert [sim.nodes[key].status_of("n1") for key in ("n0", "n2", "n3")] == [Status.ALIVE, believed, believed]
    refused = sum(dropped(sim.nodes[key], "counter ahead of time") for key in told)
    assert refused == (2 if kind == "absurd counter" else 0)
    expect_agreement(sim, within=20)


def test_all_kinds_of_lies_are_tried_above() -> None:
    assert set(FORGERIES) == {"suspicion", "death", "distant death", "farewell", "counter", "absurd counter"}


def test_a_lie_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be one of suspicion, death"):
        Forge(at=0, node="n1", kind="truth", told=["n2"])


# --- what is left of a step without some nodes


@pytest.mark.parametrize(
    ("step", "keys", "left"),
    [
        (Crash(at=1, node="a"), {"a"}, None),
        (Crash(at=1, node="a"), {"b"}, Crash(at=1, node="a")),
        (Start(at=1, node="x", seeds=["a", "b"]), {"b"}, None),
        (Start(at=1, node="x", seeds=["a"]), {"b"}, Start(at=1, node="x", seeds=["a"])),
        (Reseed(at=1, node="a", seeds=["b"]), {"b"}, None),
        (Pause(at=1, for_s=1, node="a"), {"a"}, None),
        (Disturb(at=1, for_s=1), {"a"}, Disturb(at=1, for_s=1)),
        (Disturb(at=1, for_s=1, sources=["a", "b"]), {"a"}, Disturb(at=1, for_s=1, sources=["b"])),
        (Disturb(at=1, for_s=1, sources=["a"]), {"a"}, None),
        (Disturb(at=1, for_s=1, sources=["a"], destinations=["b"]), {"b"}, None),
        (Hold(at=1, for_s=1, sources=["a", "b"]), {"b"}, Hold(at=1, for_s=1, sources=["a"])),
        (
            Forge(at=1, node="a", kind="death", told=["b", "c"]),
            {"b"},
            Forge(at=1, node="a", kind="death", told=["c"]),
        ),
        (Forge(at=1, node="a", kind="death", told=["b"]), {"b"}, None),
        (Forge(at=1, node="a", kind="death", told=["b"]), {"a"}, None),
    ],
    ids=in_order,
)
def test_without_some_nodes_a_step_concerns_the_others_or_is_gone(
    step: Step, keys: set[str], left: Step | None
) -> None:
    assert step.without(keys) == left
    assert type(step.without(())) is type(step)
    assert step.without(()) == step


# --- whom a step impairs


@pytest.mark.parametrize(
    ("step", "impaired"),
    [
        (Crash(at=1, node="a"), set()),
        (Restart(at=1, node="a"), set()),
        (Leave(at=1, node="a"), set()),
        (Update(at=1, node="a", metadata={}), set()),
        (Reseed(at=1, node="a", seeds=["b"]), set()),
        (Start(at=1, node="x", seeds=["a"]), set()),
        (Start(at=1, node="x", seeds=["a"], name="b"), {"x", "b"}),
        (Pause(at=1, for_s=1, node="a"), {"a"}),
        (Slow(at=1, for_s=1, node="a", handling_s=1), {"a"}),
        (Drift(at=1, for_s=1, node="a", rate=2), {"a"}),
        (Disturb(at=1, for_s=1, sources=["a"], destinations=["b"]), {"a", "b"}),
        (Disturb(at=1, for_s=1, destinations=["b"]), {"b"}),
        (Disturb(at=1, for_s=1, sources=["a"], change=LinkChange(loss=0.9)), set()),
        (Disturb(at=1, for_s=1, sources=["a"], change=LinkChange(streams_only=True)), {"a"}),
        (Hold(at=1, for_s=1, sources=["a"], destinations=["b"]), {"a"}),
        (Forge(at=1, node="a", kind="death", told=["b"]), {"a"}),
    ],
    ids=in_order,
)
def test_a_step_impairs_those_whose_trouble_is_its_fault(step: Step, impaired: set[str]) -> None:
    assert set(step.impairs) == impaired


def test_leaving_out_any_step_of_a_plan_leaves_a_plan_that_runs() -> None:
    steps: tuple[AnyStep, ...] = (
        Pause(at=1.0, for_s=3.0, node="n1"),
        Disturb(at=1.5, for_s=3.0, sources=["n2"]),
        Restart(at=2.0, node="n2", moves=True),
        Start(at=2.5, node="x"),
        Slow(at=2.5, for_s=2.0, node="x", handling_s=0.1),
        Leave(at=3.0, node="n3"),
        Drift(at=3.0, for_s=1.0, node="n3", rate=1.1),
    )
    for number in range(len(steps)):
        rest = steps[:number] + steps[number + 1 :]
        plan = Plan(
            scenario="test", seed=1, nodes=5, steps=rest, profile="local", duration_s=6.0, agree_within_s=15.0
        )  # fmt: skip
        outcome = Run(plan).run()
        assert outcome.is_good, f"without {steps[number]}: {outcome.violations[0]}"


def test_faults_of_one_process_that_overlap_add_up_and_each_takes_away_only_its_own() -> None:
    sim = cluster(2)
    first, second = Slow(at=0, for_s=9, node="n1", handling_s=0.1), Slow(at=0, for_s=5, node="n1", handling_s=0.2)
    fast, faster = Drift(at=0, for_s=9, node="n1", rate=1.1), Drift(at=0, for_s=5, node="n1", rate=2.0)
    for step in (first, second, fast, faster):
        step.begin(sim)
    for step in (second, faster):
        step.end(sim)
    assert sim.nodes["n1"].slowness == pytest.approx(0.1)
    assert sim.nodes["n1"].clock.rate == pytest.approx(1.1)
    for step in (first, fast):
        step.end(sim)
    assert sim.nodes["n1"].slowness == 0
    assert sim.nodes["n1"].clock.rate == pytest.approx(1.0)
