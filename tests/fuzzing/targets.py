"""What is fuzzed: each target by its name."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import attrs

from tests.fuzzing import channels, cores, decoding, envelopes, frames
from tests.fuzzing.mutations import MutateBytes


@attrs.frozen
class Target:
    """Something that takes bytes from others, and what must hold whatever they are."""

    about: str
    fuzz_one: Callable[[bytes], None]
    """Does one input; raises whatever shows that something does not hold."""
    mutate: Callable[[bytes, int, Random, MutateBytes], bytes]
    """Makes another input of one, with at most so many bytes."""
    seeds: Callable[[], list[bytes]]
    """Inputs to begin with."""
    max_bytes: int
    is_slow: bool = False
    """Whether an input takes milliseconds, so that the tests cannot replay hundreds."""


TARGETS = {
    "decode": Target("one message", decoding.fuzz_one, decoding.mutate, decoding.seeds, decoding.MAX_BYTES),
    "frames": Target("one stream", frames.fuzz_one, frames.mutate, frames.seeds, frames.MAX_BYTES),
    "envelope": Target("sealed datagrams", envelopes.fuzz_one, envelopes.mutate, envelopes.seeds, envelopes.MAX_BYTES),
    "channel": Target("a sealed stream", channels.fuzz_one, channels.mutate, channels.seeds, channels.MAX_BYTES),
    "core": Target("a cluster under attack", cores.fuzz_one, cores.mutate, cores.seeds, cores.MAX_BYTES, is_slow=True),
}
