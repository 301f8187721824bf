"""Target ``channel``: what one end of a stream reads that has keys, or may do without.

An input is a byte that says which keys both ends have and which of them is attacked, one that says how many bytes
after it are sizes of pieces, those sizes, and steps (:mod:`tests.fuzzing.steps`): messages that the other end writes,
and what is done to them on their way. However the stream is cut into pieces, the same messages come out of it and it
fails for the same reason. Where it is sealed, they are the first of those written, in order, and the stream counts as
complete only if it was. They go on to be decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from gossip.core.errors import WireError
from gossip.security.channel import Channel
from gossip.security.keyring import AES_256_GCM, CHACHA20_POLY1305, PLAIN, Key, Keyring
from tests.fuzzing import decoding, honest
from tests.fuzzing.mutations import MutateBytes, changed_message
from tests.fuzzing.steps import Details, Step, changed_steps, packed, steps_in

DOES_NOT_OPEN = "of another cluster with this key, or forged"

MAX_BYTES = 2048
MAX_STEPS = 64
MAX_SIZES = 8
CLUSTER = "default"

KEY, OTHER_KEY = Key(AES_256_GCM, bytes(range(32))), Key(CHACHA20_POLY1305, bytes(range(1, 33)))
RINGS = (
    (Keyring.of(KEY), Keyring.of(KEY)),
    (Keyring.of(OTHER_KEY), Keyring.of(OTHER_KEY)),
    (Keyring.of(KEY, PLAIN), Keyring.of(PLAIN, KEY)),
    (Keyring.of(PLAIN, KEY), Keyring.of(KEY, PLAIN)),
    (Keyring.of(PLAIN), Keyring.of(PLAIN)),
    (Keyring.of(KEY), Keyring.of(OTHER_KEY)),
    (Keyring.of(PLAIN), Keyring.of(KEY)),
)
"""Of the end that is attacked and of the other one."""

REASONS = frozenset(
    {
        DOES_NOT_OPEN,
        "frame of impossible length",
        "frames after the last one",
        "not sealed",
        "sealed with an unknown key",
    }
)
"""All reasons for which a stream is refused."""


class Read(NamedTuple):
    """What one end made of a stream."""

    messages: list[bytes]
    refusal: str
    was_cut: bool


def fuzz_one(data: bytes) -> None:
    """Let one end read a stream at once, and in pieces."""
    how, sizes, steps = parted(data)
    attacked, other, said = ends(how)
    written, stream = conversation(other, said, steps)
    whole = read(attacked, stream, [len(stream) or 1])
    cut = read(ends(how)[0], stream, sizes)
    assert whole == cut, f"{whole} in one piece, {cut} in pieces of {sizes}"
    assert cut.refusal in ("", *REASONS)
    ours, _ = rings(how)
    if not ours.allows_plain:
        assert cut.messages == written.messages[: len(cut.messages)], "a message that was not written, or not there"
        is_complete = stream.startswith(written.stream) and written.has_ended
        assert cut.was_cut or bool(cut.refusal) or is_complete, "a stream that was cut and is not known to be"
    for message in cut.messages:
        decoding.fuzz_one(message)


def parted(data: bytes) -> tuple[int, list[int], list[Step]]:
    """Which keys, the sizes of pieces, and the steps in an input."""
    how, count = data[:2].ljust(2, b"\0")
    at = 2 + count % (MAX_SIZES + 1)
    return how, [1 + size for size in data[2:at]] or [16], steps_in(data[at:])[:MAX_STEPS]


def rings(how: int) -> tuple[Keyring, Keyring]:
    """The keys of the end that is attacked and of the other one."""
    return RINGS[how // 2 % len(RINGS)]


def ends(how: int) -> tuple[Channel, Channel, bytes]:
    """The end that is attacked, the other end, and what that writes until it may write messages."""
    connects = bool(how % 2)
    mine, theirs = rings(how)
    attacked = Channel(mine, CLUSTER, connects=connects, random_bytes=Random(1).randbytes)
    other = Channel(theirs, CLUSTER, connects=not connects, random_bytes=Random(2).randbytes)
    said = other.greeting()
    try:
        answer = other.greeted(attacked.greeting() if connects else _answer(mine, said))
    except WireError:
        return attacked, other, said
    return attacked, other, said + answer


def _answer(ring: Keyring, greeting: bytes) -> bytes:
    """What the end that is attacked would answer, found out on another one like it."""
    if not greeting:
        return b""
    return Channel(ring, CLUSTER, connects=False, random_bytes=Random(1).randbytes).greeted(greeting)


class Written(NamedTuple):
    """What the other end has written of its own accord."""

    messages: list[bytes]
    stream: bytes
    has_ended: bool


def conversation(other: Channel, greeting: bytes, steps: Sequence[Step]) -> tuple[Written, bytes]:
    """What the other end writes by these steps, and what becomes of it on its way."""
    messages, chunks, genuine, has_ended = [], [greeting], greeting, False
    for step in steps:
        details = Details(step.details)
        match step.what % 7:
            case 0 if step.details and not has_ended:
                messages.append(step.details)
                chunks.append(other.pack(step.details))
                genuine += chunks[-1]
            case 1 if not has_ended:
                has_ended = True
                chunks.append(other.ending())
                genuine += chunks[-1]
            case 2:
                chunks.insert(step.how % (len(chunks) + 1), step.details)
            case 3:
                chunks.append(chunks[step.how % len(chunks)])
            case 4 if len(chunks) > 1:
                del chunks[step.how % len(chunks)]
            case 5 if len(chunks) > 1:
                at = step.how % (len(chunks) - 1)
                chunks[at], chunks[at + 1] = chunks[at + 1], chunks[at]
            case 6:
                _damage(chunks, step.how % len(chunks), details)
    return Written(messages, genuine, has_ended), b"".join(chunks)


def _damage(chunks: list[bytes], which: int, details: Details) -> None:
    chunk = bytearray(chunks[which])
    while details and chunk:
        chunk[details.byte() % len(chunk)] ^= details.byte()
    chunks[which] = bytes(chunk)


def read(end: Channel, stream: bytes, sizes: list[int]) -> Read:
    """What an end makes of a stream that arrives in pieces of these sizes."""
    messages: list[bytes] = []
    at = turn = 0
    try:
        while at < len(stream):
            size = sizes[turn % len(sizes)]
            piece, at, turn = stream[at : at + size], at + size, turn + 1
            if not end.is_open:
                end.greeted(piece)
                piece = b""
            if end.is_open:
                for message in end.feed(piece):
                    messages.append(message)
    except WireError as refusal:
        return Read(messages, str(refusal), True)
    return Read(messages, "", end.was_cut)


def mutate(data: bytes, most: int, random: Random, mutate_bytes: MutateBytes) -> bytes:
    """Another stream: other keys, other pieces, or another step; now and then another message with its checksum."""
    if len(data) < 2 or not random.randrange(16):
        return random.randbytes(2) + data[2:]
    _, _, steps = parted(data)
    head = data[: 2 + data[1] % (MAX_SIZES + 1)]
    if steps and not random.randrange(3):
        at = random.randrange(len(steps))
        message = changed_message(steps[at].details, 250, random, mutate_bytes)
        made = head + packed([*steps[:at], steps[at]._replace(details=message), *steps[at + 1 :]])
        return made if len(made) <= most else data
    return head + changed_steps(data[len(head) :], most - len(head), random, mutate_bytes)


def seeds() -> list[bytes]:
    """Streams with each pair of keys, read by either end; with each thing done to them; and what honest members say."""
    talk = [Step(0, 0, b"one"), Step(0, 0, b"two"), Step(1, 0)]
    done = [[*talk, Step(what, how, b"\x05\x01")] for what in range(2, 7) for how in range(4)]
    streams = [bytes((how, 0)) + packed(talk) for how in range(2 * len(RINGS))]
    streams += [bytes((how, 2, 3, 9)) + packed(steps) for how in (0, 1, 4, 8) for steps in done]
    said = [Step(0, 0, message) for message in honest.messages() if len(message) <= 255]
    return [*streams, *(b"\0\0" + packed([step, Step(1, 0)]) for step in said)]
