"""Target ``envelope``: the datagrams that reach a node with keys, made by members, by holders of a key, and by others.

An input is a list of steps (:mod:`tests.fuzzing.steps`), each of which is one datagram or a change of keys. A model
of a few lines says of each whether it must be let through: it was sealed with a key held, for this cluster, by
somebody else, as it is, and its number is new. What is not let through is refused for one of a few reasons and leaves
nothing behind. What is let through goes on to be decoded (:mod:`tests.fuzzing.decoding`): a checksum is no secret, so
all of that code is within the reach of a holder of the key.
"""

from __future__ import annotations

from random import Random

from gossip.core.errors import WireError
from gossip.security.envelope import (
    HEADER_BYTES,
    KEY_AT,
    OVERHEAD_BYTES,
    SEQUENCE_AT,
    SEQUENCE_BYTES,
    SESSION_BYTES,
    WINDOW,
    Envelope,
)
from gossip.security.keyring import AES_256_GCM, CHACHA20_POLY1305, PLAIN, Key, Keyring
from gossip.security.sealing import NONCE_BYTES, VERSION, cipher, subkey
from tests.fuzzing import decoding, honest
from tests.fuzzing.mutations import MutateBytes, changed_message
from tests.fuzzing.steps import Details, Step, changed_steps, packed, steps_in

DOES_NOT_OPEN = "of another cluster with this key, or forged"

MAX_BYTES = 2048
MAX_STEPS = 64
CLUSTER = "default"

KEYS = (Key(AES_256_GCM, bytes(range(32))), Key(CHACHA20_POLY1305, bytes(range(1, 33))), Key(AES_256_GCM, b"k" * 32))
"""The first two are held by the node now and then, the third is not."""

RINGS = (
    Keyring.of(KEYS[0]),
    Keyring.of(KEYS[0], KEYS[1]),
    Keyring.of(KEYS[1], KEYS[0]),
    Keyring.of(KEYS[1]),
    Keyring.of(PLAIN, KEYS[0]),
    Keyring.of(KEYS[0], PLAIN),
    Keyring.of(PLAIN),
)

REASONS = frozenset(
    {DOES_NOT_OPEN, "not sealed", "our own message", "replayed", "sealed with an unknown key", "sealed, but too short"}
)
"""All reasons for which a datagram is not let through."""


def fuzz_one(data: bytes) -> None:
    """Hand one datagram after the other to a node."""
    Game().play(data)


class Game:
    """One node, members that seal for it, and what it must let through."""

    def __init__(self) -> None:
        self._node = Envelope(RINGS[0], CLUSTER, random_bytes=Random(0).randbytes)
        self._members = [
            Envelope(Keyring.of(key), CLUSTER, random_bytes=Random(number).randbytes)
            for number, key in enumerate(KEYS, start=1)
        ]
        self._stranger = Envelope(RINGS[0], "another cluster", random_bytes=Random(9).randbytes)
        self._ring = RINGS[0]
        self._genuine: dict[bytes, tuple[Key, bytes]] = {}
        """What was sealed for this cluster by others: with which key, and what is in it."""
        self._seen: dict[bytes, list[int]] = {}
        """By session, the numbers let through since its key was last taken up."""

    def play(self, data: bytes) -> None:
        """Do all steps."""
        does = (self._sealed, self._changed, self._again, self._crafted, self._raw, self._made_up, self._own,
                self._of_another_cluster, self._rotate)  # fmt: skip
        for step in steps_in(data)[:MAX_STEPS]:
            datagram = does[step.what % len(does)](step.how, Details(step.details))
            if datagram is not None:
                self._hand_over(datagram)

    # --- datagrams, by who made them

    def _sealed(self, how: int, details: Details) -> bytes:
        """By a member, with one of the keys."""
        return self._note(self._members[how % len(KEYS)].seal(details.rest), KEYS[how % len(KEYS)], details.rest)

    def _changed(self, how: int, details: Details) -> bytes | None:
        """By a member, and changed, cut or prolonged on its way."""
        if not self._genuine:
            return None
        changed = bytearray(self._one_of_genuine(how))
        while details and changed:
            at = details.byte() % len(changed)
            match details.byte() % 3:
                case 0:
                    changed[at] ^= details.byte()
                case 1:
                    del changed[at:]
                case _:
                    changed.append(details.byte())
        return bytes(changed)

    def _again(self, how: int, details: Details) -> bytes | None:
        """A second time."""
        return self._one_of_genuine(how) if self._genuine else None

    def _crafted(self, how: int, details: Details) -> bytes:
        """By a holder of a key who does not count as one should."""
        key = KEYS[how % len(KEYS)]
        session = bytes(SESSION_BYTES - 1) + bytes((details.byte(),))
        highest = max(self._seen.get(key.number + session, [0]))
        ahead, behind = highest + details.byte(), highest - 4 * details.byte()
        edges = (highest - WINDOW, highest - WINDOW + 1, highest + WINDOW, 2 ** (8 * SEQUENCE_BYTES) - 1)
        number = (details.byte(), ahead, behind, *edges)[how // len(KEYS) % 7]
        sequence = (number % 2 ** (8 * SEQUENCE_BYTES)).to_bytes(SEQUENCE_BYTES, "big")
        header = bytes((VERSION,)) + key.number + session + sequence
        crafter = cipher(key, subkey(key, CLUSTER, "datagrams", session))
        nonce = bytes(NONCE_BYTES - SEQUENCE_BYTES) + sequence
        return self._note(header + crafter.encrypt(nonce, details.rest, header), key, details.rest)

    def _raw(self, how: int, details: Details) -> bytes:
        """By anybody."""
        return details.rest

    def _made_up(self, how: int, details: Details) -> bytes:
        """By somebody who has seen which key is used, and has it not."""
        return bytes((VERSION,)) + KEYS[how % len(KEYS)].number + details.rest

    def _own(self, how: int, details: Details) -> bytes:
        """By the node itself."""
        return self._node.seal(details.rest)

    def _of_another_cluster(self, how: int, details: Details) -> bytes:
        """By a member of another cluster with the same key."""
        return self._stranger.seal(details.rest)

    def _rotate(self, how: int, details: Details) -> None:
        """No datagram, but other keys."""
        self._ring = RINGS[how % len(RINGS)]
        self._node.use_keyring(self._ring)
        held = {key.number for key in self._ring.keys if not key.is_plain}
        self._seen = {session: seen for session, seen in self._seen.items() if session[:2] in held}

    def _note(self, datagram: bytes, key: Key, content: bytes) -> bytes:
        self._genuine[datagram] = (key, content)
        return datagram

    def _one_of_genuine(self, how: int) -> bytes:
        return list(self._genuine)[-1 - how % len(self._genuine)]

    # --- what must become of them

    def _hand_over(self, datagram: bytes) -> None:
        node = self._node
        expected = self._expected(datagram)
        sessions, opened = node.sessions, node.opened.total()
        try:
            content: bytes | None = node.open(datagram)
        except WireError as refusal:
            content = None
            assert str(refusal) in REASONS, refusal
            assert (node.sessions, node.opened.total()) == (sessions, opened), "what is refused leaves something behind"
        assert content == expected, f"{datagram.hex()} became {content!r}, not {expected!r}"
        assert node.sessions == len(self._seen)
        if content is not None:
            decoding.fuzz_one(content)

    def _expected(self, datagram: bytes) -> bytes | None:
        """What must be let through; notes that it was."""
        if datagram[:1] != bytes((VERSION,)):
            return datagram if self._ring.allows_plain else None
        key, content = self._genuine.get(datagram, (PLAIN, b""))
        if key not in self._ring.keys or key.is_plain:
            return None
        session, number = datagram[KEY_AT:SEQUENCE_AT], int.from_bytes(datagram[SEQUENCE_AT:HEADER_BYTES], "big")
        seen = self._seen.get(session, [])
        if number in seen or (seen and number <= max(seen) - WINDOW):
            return None
        self._seen[session] = [*seen, number]
        return content


def mutate(data: bytes, most: int, random: Random, mutate_bytes: MutateBytes) -> bytes:
    """Another list of steps; now and then the message in one of them is another one, with its right checksum."""
    steps = steps_in(data)
    if not steps or random.randrange(3):
        return changed_steps(data, most, random, mutate_bytes)
    at = random.randrange(len(steps))
    room = most - len(data) + len(steps[at].details)
    steps[at] = steps[at]._replace(details=changed_message(steps[at].details, min(250, room), random, mutate_bytes))
    return packed(steps)


def seeds() -> list[bytes]:
    """One step of each kind; and what honest members say, sealed."""
    hello = b"hello"
    sent = [Step(0, 0, hello), Step(0, 1, hello)]
    games = [
        [Step(what, how, hello) for what in range(9) for how in range(2)],
        [*sent, Step(2, 0), Step(8, 1), *sent, Step(2, 0), Step(8, 3), Step(2, 1)],
        [Step(3, 3 * number, bytes((1, 200, 50))) for number in range(7)] * 2,
        [Step(0, 0, hello), *(Step(1, 0, bytes((at, 0, 1))) for at in range(OVERHEAD_BYTES + 5))],
        [Step(8, 5), Step(4, 0, b"plain"), Step(8, 0), Step(4, 0, b"plain"), Step(5, 0, bytes(40)), Step(7, 0, hello)],
    ]
    games += [[Step(0, 0, message)] for message in honest.messages() if len(message) <= 255]
    return [packed(game) for game in games]
