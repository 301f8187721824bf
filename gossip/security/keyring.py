"""The keys of a cluster: which key seals messages, which keys open them, and the file that holds them.

This module decides what a key is, how a keyring may change, how a key file looks and who may have access to it. It
does not seal; :mod:`gossip.security.sealing` does, with the keys from here. No text for people and no error shows a
secret; only :meth:`Keyring.format` and the methods that save a file write secrets.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Any, final

import attrs

from gossip.core.errors import ConfigurationError
from gossip.core.support.arguments import given, require, wrong
from gossip.security import private_file

AES_256_GCM = "aes-256-gcm"
CHACHA20_POLY1305 = "chacha20-poly1305"
PLAIN_TEXT = "plain"
"""Stands for no algorithm: the messages of the cluster are not sealed, not yet sealed, or no longer sealed."""

ALGORITHMS = (AES_256_GCM, CHACHA20_POLY1305)
"""The algorithms that seal. The first is faster on processors with AES instructions (most have them), the second on
others."""

KEY_BYTES = 32
"""Length of a secret: both algorithms take 256 bits."""

NUMBER_BYTES = 2
"""Length of a key's number. Each message carries the number, so it is short: it only says which key to try."""

MAX_KEYS = 8
"""Most keys in a ring, including ``plain``. A rotation needs two; in a ring with many, nobody dropped the old ones."""

MAX_FILE_BYTES = 16_384
"""Largest file. A full ring takes about a kilobyte; the rest is room for comments."""

USE = "use"
OPEN = "open"
COMMENT = "#"

HEADER = f"""\
{COMMENT} The keys of a gossip cluster. Anybody who can read them can take part: nobody but the owner may (chmod 600).
{COMMENT} Each line is a key. "use": messages are sealed with it, and opened; "open": they are only opened with it.
"""

_NUMBER_PURPOSE = b"gossip: number of a key"


def _check_algorithm(_: Any, __: attrs.Attribute[Any], value: Any) -> None:
    if value not in (*ALGORITHMS, PLAIN_TEXT):  # the value is not shown: it may be a misplaced secret
        raise ConfigurationError(
            f"the algorithm of a key must be one of {', '.join((*ALGORITHMS, PLAIN_TEXT))}, "
            f"and this is {given(value, secret=True)} that is none of them"
        )


def _check_secret(key: Key, _: attrs.Attribute[Any], value: Any) -> None:
    wanted = 0 if key.is_plain else KEY_BYTES
    if not isinstance(value, bytes) or len(value) != wanted:
        raise wrong(f"the secret of a key for {key.algorithm}", f"{wanted} bytes", value, secret=True)
    if value and not any(value):
        raise ConfigurationError("a secret must not be all zeros: generate a key instead")


@final
@attrs.frozen
class Key:
    """One key: an algorithm and a secret.

    >>> import gossip
    >>> key = gossip.Key.generate()
    >>> key.algorithm, len(key.secret), len(key.id)
    ('aes-256-gcm', 32, 4)
    >>> gossip.PLAIN.id
    'plain'

    :raises ConfigurationError: if the algorithm is unknown, or the secret is not :data:`KEY_BYTES` long.
    """

    algorithm: str = attrs.field(validator=_check_algorithm)
    secret: bytes = attrs.field(repr=False, validator=_check_secret)
    """:data:`KEY_BYTES` random bytes; none for :data:`PLAIN`."""
    number: bytes = attrs.field(init=False, eq=False, repr=bytes.hex)
    """:data:`NUMBER_BYTES` derived from the algorithm and the secret. A sealed message carries them. Empty for
    :data:`PLAIN`."""
    id: str = attrs.field(init=False, eq=False, repr=False)
    """Its name for people: its number in hexadecimal digits, or ``plain``. It reveals nothing of the secret."""

    def __attrs_post_init__(self) -> None:
        digest = hashlib.blake2b(b"\0".join((_NUMBER_PURPOSE, self.algorithm.encode(), self.secret))).digest()
        object.__setattr__(self, "number", b"" if self.is_plain else digest[:NUMBER_BYTES])
        object.__setattr__(self, "id", self.number.hex() or PLAIN_TEXT)

    @property
    def is_plain(self) -> bool:
        """Whether this stands for messages that are not sealed."""
        return self.algorithm == PLAIN_TEXT

    @classmethod
    def generate(cls, algorithm: str = AES_256_GCM) -> Key:
        """A new key that nobody else has.

        :raises ConfigurationError: if there is no such algorithm.
        """
        return cls(algorithm, b"" if algorithm == PLAIN_TEXT else os.urandom(KEY_BYTES))


PLAIN = Key(PLAIN_TEXT, b"")
"""Stands for messages that are not sealed. With it in a ring, you can turn sealing on or off step by step while a
cluster runs. While it is in a ring, a node believes anybody who can send it a packet."""


@final
@attrs.frozen
class Keyring:
    """The keys that a node has. A ring never changes; each step of a rotation makes a new one.

    The steps of a rotation, each taken on all nodes before the next one (``node.use_keyring``):

    >>> import gossip
    >>> old, new = gossip.Key.generate(), gossip.Key.generate()
    >>> both = gossip.Keyring.of(old).add(new)
    >>> only_new = both.use(new.id).drop(old.id)
    >>> only_new.in_use == new, len(only_new.keys)
    (True, 1)

    :raises ConfigurationError: if ``in_use`` is not among the keys, or they are more than :data:`MAX_KEYS`, or two
        of them have one number.
    """

    keys: tuple[Key, ...]
    """All keys that open messages."""
    in_use: Key
    """The key that seals messages."""

    def __attrs_post_init__(self) -> None:
        require("keys", self.keys, tuple, "a tuple of gossip.Key", secret=True)
        for place, key in enumerate(self.keys):
            _check_addition(key, self.keys[:place])
        require("in_use", self.in_use, Key, "a gossip.Key, one of the keys", secret=True)
        if self.in_use not in self.keys:
            raise ConfigurationError("the key in use must be one of the keys in the ring: add it first")

    @classmethod
    def of(cls, *keys: Key) -> Keyring:
        """A ring of these keys; the first one is in use.

        :raises ConfigurationError: if there is none, or as for the ring itself.
        """
        if not keys:
            raise ConfigurationError("a keyring needs at least one key, such as gossip.Key.generate()")
        return cls(keys, keys[0])

    def add(self, key: Key) -> Keyring:
        """A ring that also opens messages with this key.

        :raises ConfigurationError: if the key or its number is already there, or the ring is full.
        """
        return attrs.evolve(self, keys=(*self.keys, key))

    def use(self, key_id: str) -> Keyring:
        """A ring that seals with this one of its keys.

        :raises ConfigurationError: if no key has this id.
        """
        return attrs.evolve(self, in_use=self._find(key_id))

    def drop(self, key_id: str) -> Keyring:
        """A ring without this key.

        :raises ConfigurationError: if no key has this id, or it is the one in use.
        """
        dropped = self._find(key_id)
        if dropped == self.in_use:
            raise ConfigurationError(f"{dropped.id} is in use: use another key first, here and on all other nodes")
        return attrs.evolve(self, keys=tuple(key for key in self.keys if key != dropped))

    @property
    def allows_plain(self) -> bool:
        """Whether a node accepts messages that are not sealed."""
        return PLAIN in self.keys

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read the text that :meth:`format` writes; people may have added comments and empty lines.

        :raises ConfigurationError: if it is anything else; the error names the line.
        """
        require("text", text, str, "the text of a file of keys", secret=True)
        entries = _parse_lines(text)
        if not entries:
            raise ConfigurationError("it has no key: gossip keygen makes a file with one")
        used = [key for word, key in entries if word == USE]
        if not used:
            raise ConfigurationError(f'no key is in use: one of the lines must begin with "{USE}"')
        return cls(tuple(key for _, key in entries), used[0])

    def format(self) -> str:
        """The text of a file with these keys, secrets included."""
        return HEADER + "".join(_format_line(USE if key == self.in_use else OPEN, key) for key in self.keys)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Keyring:
        """Read a file of keys.

        :raises ConfigurationError: if it cannot be read or is no file of keys; if anybody else may read or write it; or
            if its owner is neither the reader nor root. A group may read a file of root's if the reader is not root.
            The text begins with the path.
        """
        return private_file.load(path, cls.parse, "a file of keys", MAX_FILE_BYTES)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of keys that only its owner can read. After a crash, the old file or the new one is there.

        :raises ConfigurationError: if it cannot be written; the text begins with the path.
        """
        private_file.save(path, self.format())

    def save_new(self, path: str | os.PathLike[str]) -> None:
        """Write such a file, if none is there.

        :raises ConfigurationError: if there is a file, or it cannot be written; the text begins with the path.
        """
        private_file.save_new(path, self.format())

    def _find(self, key_id: str) -> Key:
        require("key_id", key_id, str, "the id of a key, which is a text (Key.id)", secret=True)
        for key in self.keys:
            if key.id == key_id:
                return key
        # The error does not show the requested id, because it may be a secret by mistake.
        raise ConfigurationError(f"no key here has that id; the ids are {', '.join(key.id for key in self.keys)}")


def change_file(path: str | os.PathLike[str], step: Callable[[Keyring], Keyring]) -> tuple[Keyring, Keyring]:
    """Replace the ring in a file by what ``step`` makes of it. Comments in the file are lost.

    Other processes that change the file in this way wait, so no change undoes another. Readers do not wait.

    :returns: the rings before and after. If they are equal, nothing was written.
    :raises ConfigurationError: as :meth:`Keyring.load`, :meth:`Keyring.save`, and the step.
    """
    with private_file.locked(path):
        before = Keyring.load(path)
        after = step(before)
        if after != before:
            after.save(path)
    return before, after


def keys_in(text: str) -> tuple[Key, ...]:
    """The keys in some lines of a file of keys, whether or not one of them is in use.

    :raises ConfigurationError: if it is anything else, or has no key; the error names the line.
    """
    keys = tuple(key for _, key in _parse_lines(text))
    if not keys:
        raise ConfigurationError("it has no key")
    return keys


def _check_addition(key: Key, others: Sequence[Key]) -> None:
    require(
        "keys: each", key, Key, "a gossip.Key, such as Key.generate(); Keyring.load(path) reads a file", secret=True
    )
    if key in others:
        raise ConfigurationError(f"the key {key.id} is already there")
    if any(key.id == other.id for other in others):
        raise ConfigurationError(f"another key already has the id {key.id}: generate a new one")
    if len(others) >= MAX_KEYS:
        raise ConfigurationError(f"a keyring has at most {MAX_KEYS} keys: drop those that no node uses any more")


# The text of a file. No error shows a word of it, because any word may be a misplaced secret.


def _format_line(word: str, key: Key) -> str:
    secret = base64.b64encode(key.secret).decode()
    return " ".join((f"{word:<4}", key.id) if key.is_plain else (f"{word:<4}", key.id, key.algorithm, secret)) + "\n"


def _parse_lines(text: str) -> list[tuple[str, Key]]:
    if len(text) > MAX_FILE_BYTES:
        raise ConfigurationError(f"this is no file of keys: it has more than {MAX_FILE_BYTES} bytes")
    entries: list[tuple[str, Key]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if not words or words[0].startswith(COMMENT):
            continue
        try:
            word, key = _parse_line(words)
            if word == USE and any(earlier == USE for earlier, _ in entries):
                raise ConfigurationError(f'only one key can be in use: begin this line with "{OPEN}"')
            _check_addition(key, [earlier for _, earlier in entries])
        except ConfigurationError as error:
            raise ConfigurationError(f"line {number}: {error}") from None
        entries.append((word, key))
    return entries


def _parse_line(words: Sequence[str]) -> tuple[str, Key]:
    word, *described = words
    if word not in (USE, OPEN):
        raise ConfigurationError(f'it must begin with "{USE}" or "{OPEN}" (or with {COMMENT}, as a comment)')
    if described == [PLAIN_TEXT]:
        return word, PLAIN
    if len(described) != 3 or described[1] == PLAIN_TEXT:
        raise ConfigurationError(f'after "{word}" come an id, an algorithm and a secret, or only "{PLAIN_TEXT}"')
    key_id, algorithm, secret = described
    key = Key(algorithm, private_file.from_base64(secret))
    if key.id != key_id:
        raise ConfigurationError("id, algorithm and secret do not belong together: copy the whole line again")
    return word, key
