"""Hypothesis strategies for the values of the protocol: all valid values, with the extremes among the likely ones."""

from __future__ import annotations

import ipaddress

from hypothesis import strategies as st

from gossip.core.state.heartbeat import MAX_COUNTER
from gossip.core.state.member import KEY_BYTES, MAX_VERSION, SIGNATURE_BYTES, Identity, Record, Registers, is_valid_name
from gossip.core.support.address import MAX_PORT, Address
from gossip.core.wire.messages import (
    DIGEST_RANGES,
    MAX_ACCUSERS,
    MAX_ID,
    MAX_TOKEN,
    Ack,
    AliveFact,
    Body,
    Clock,
    DeadFact,
    Digest,
    Entries,
    Explain,
    Explained,
    Fact,
    IndirectAck,
    LeftFact,
    Nack,
    News,
    Ping,
    PingRequest,
    RecordFact,
    SuspectFact,
)

ids = st.integers(1, MAX_ID)
tokens = st.integers(0, MAX_TOKEN)
counters = st.integers(0, MAX_COUNTER)
floors = st.integers(1, MAX_COUNTER)
names = st.text(min_size=1, max_size=128).filter(is_valid_name)
texts = st.text(max_size=20)
metadata = st.dictionaries(texts, texts, max_size=5)
addresses = st.builds(
    lambda ip, port: Address.from_wire(ip.packed + port.to_bytes(2, "big")),
    st.one_of(
        st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address), st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)
    ),
    st.integers(0, MAX_PORT),
)

records = st.builds(
    Record,
    st.just(Identity("ada", 1, 1)),
    st.integers(1, 4),
    st.sampled_from([Address("10.0.0.1", 1), Address("10.0.0.2", 1), Address("::1", 1)]),
    st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2),
)
"""Few different addresses, so that records of one version collide."""

small = st.integers(0, 6)
registers = st.builds(Registers, records, small, small, small, small)

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
signatures = st.binary(min_size=SIGNATURE_BYTES, max_size=SIGNATURE_BYTES)
accusers = st.lists(ids, max_size=MAX_ACCUSERS).map(tuple)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(AliveFact, ids, counters),
    st.builds(SuspectFact, ids, floors, accusers, counters),
    st.builds(DeadFact, ids, floors, accusers, counters),
    st.builds(LeftFact, ids, floors, st.just(b"") | signatures),
    st.builds(
        RecordFact,
        st.builds(
            Record,
            st.builds(Identity, names, st.integers(0, MAX_VERSION), ids),
            st.integers(1, MAX_VERSION),
            addresses,
            metadata,
        )
        | st.builds(
            Record,
            st.builds(Identity, names, st.integers(0, MAX_VERSION), ids),
            st.integers(1, MAX_VERSION),
            addresses,
            metadata,
            keys,
            signatures,
        ),
        counters,
    ),
)

_ranges = st.tuples(st.integers(0, MAX_ID), st.integers(0, MAX_ID)).map(sorted)
observed = st.none() | addresses
paddings = st.integers(0, 300).map(bytes)
bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(Ping, tokens, paddings),
    st.builds(Ack, tokens, observed, st.none() | tokens),
    st.builds(PingRequest, tokens, ids, paddings),
    st.builds(Nack, tokens, ids),
    st.builds(IndirectAck, tokens, ids, counters),
    st.just(News()),
    st.builds(
        lambda low_high, hashes, cookie, repeats: Digest(low_high[0], low_high[1], tuple(hashes), cookie, repeats),
        _ranges,
        st.lists(st.integers(0, MAX_ID), min_size=DIGEST_RANGES, max_size=DIGEST_RANGES),
        tokens,
        st.none() | tokens,
    ),
    st.builds(lambda low_high, repeats: Entries(low_high[0], low_high[1], repeats), _ranges, st.none() | tokens),
    st.builds(Clock, st.integers(0, MAX_VERSION)),
    st.builds(Explain, tokens, names),
    st.builds(
        Explained, tokens, st.none() | st.lists(st.none() | texts | counters | st.lists(names, max_size=2), max_size=11)
    ),
)
