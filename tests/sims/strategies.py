"""Hypothesis strategies for the values that plans are made of."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from sims.plan import SPARED, Plan
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
    Update,
)
from sims.world import (
    Constant,
    Exponential,
    GilbertElliott,
    Held,
    Latency,
    Link,
    LinkChange,
    Lognormal,
    Measured,
    Pareto,
    Uniform,
)

always = settings(derandomize=True, deadline=None, max_examples=60)
"""For properties of a simulator whose whole point is that nothing is left to chance."""

delays = st.floats(0, 1000)
shares = st.floats(0, 1)
keys = st.sampled_from([f"n{number}" for number in range(4)])
some_keys = st.lists(keys, max_size=3, unique=True).map(tuple)
texts = st.text(max_size=8)

latencies: st.SearchStrategy[Latency] = st.one_of(
    st.builds(Constant, delays),
    st.tuples(delays, delays).map(lambda pair: Uniform(*sorted(pair))),
    st.builds(Exponential, delays, delays),
    st.builds(Lognormal, delays, st.floats(0, 2)),
    st.builds(Pareto, delays, st.floats(0.5, 5)),
    st.builds(Measured, st.lists(delays, min_size=1, max_size=5)),
)

bursts = st.builds(GilbertElliott, to_bad=shares, to_good=shares, loss_bad=shares, loss_good=shares)
held = st.builds(Held, until=delays, spacing=delays)
of_a_link = {
    "latency": latencies,
    "loss": shares,
    "bursts": st.none() | bursts,
    "duplication": shares,
    "reordering": shares,
    "corruption": shares,
    "bandwidth": st.none() | st.floats(1, 1e9),
    "queue_bytes": st.integers(0, 2**20),
    "mtu": st.none() | st.integers(68, 65_535),
    "streams_only": st.booleans(),
    "held": st.none() | held,
}
links = st.builds(Link, **of_a_link)
changes = st.builds(LinkChange, **{name: st.none() | values for name, values in of_a_link.items()})

moments = {"at": delays}
lasting = {"at": delays, "for_s": delays}
on_ways = {**lasting, "sources": some_keys, "destinations": some_keys, "both_ways": st.booleans()}
disturbances = st.builds(Disturb, **on_ways, change=st.none() | changes)

steps_by_kind: dict[type[AnyStep], st.SearchStrategy[AnyStep]] = {
    Start: st.builds(Start, at=delays, node=texts, seeds=some_keys, name=st.none() | keys),
    Crash: st.builds(Crash, at=delays, node=keys),
    Restart: st.builds(Restart, at=delays, node=keys, seeds=some_keys, moves=st.booleans()),
    Leave: st.builds(Leave, at=delays, node=keys),
    Update: st.builds(Update, at=delays, node=keys, metadata=st.dictionaries(texts, texts, max_size=3)),
    Reseed: st.builds(Reseed, at=delays, node=keys, seeds=some_keys),
    Pause: st.builds(Pause, at=delays, for_s=delays, node=keys),
    Block: st.builds(Block, at=delays, for_s=delays, node=keys),
    Slow: st.builds(Slow, at=delays, for_s=delays, node=keys, handling_s=delays),
    Drift: st.builds(Drift, at=delays, for_s=delays, node=keys, rate=st.floats(0.5, 2)),
    Disturb: disturbances,
    Hold: st.builds(Hold, **on_ways, spacing_s=delays),
    Forge: st.builds(Forge, at=delays, node=keys, kind=st.sampled_from(list(FORGERIES)), told=some_keys),
}
"""For each kind of step, any step of it."""

steps = st.one_of(*steps_by_kind.values())

plans = st.builds(
    Plan,
    scenario=texts,
    seed=st.integers(0, 2**64),
    nodes=st.integers(2, 100_000),
    profile=st.sampled_from(["lan", "wan", "local"]),
    settings=st.fixed_dictionaries({}, optional={"witnesses": st.floats(0, 64), "push_fanout": st.integers(0, 16)}),
    link=links,
    lateness=st.none() | latencies,
    shape=st.lists(disturbances, max_size=2).map(tuple),
    seeds=st.integers(0, 9),
    joins=st.booleans(),
    clusters=st.integers(1, 4),
    steps=st.lists(steps, max_size=6).map(tuple),
    duration_s=delays,
    agree_within_s=st.none() | delays,
    spares=st.sampled_from(SPARED),
)
