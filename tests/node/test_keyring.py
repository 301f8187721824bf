"""Keys, rings of keys and their file: what may change how, what is refused, and that no secret gets out."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gossip.core.errors import ConfigurationError
from gossip.security import keyring
from gossip.security.keyring import (
    AES_256_GCM,
    CHACHA20_POLY1305,
    MAX_FILE_BYTES,
    MAX_KEYS,
    PLAIN,
    Key,
    Keyring,
    keys_in,
)

T = TypeVar("T")

NOBODY = 65_534
"""A user who is neither root nor, one hopes, the one who runs the tests."""


def key(seed: int, algorithm: str = AES_256_GCM) -> Key:
    """A key like any other, the same for the same seed."""
    return Key(algorithm, bytes([seed, *range(1, 32)]))


def namesake_of(other: Key) -> Key:
    """Another key with the same number."""
    candidates = (Key(AES_256_GCM, number.to_bytes(32, "big")) for number in range(1, 1 << 24))
    return next(candidate for candidate in candidates if candidate.number == other.number and candidate != other)


def secret_of(some_key: Key) -> str:
    """As it stands in the file."""
    return base64.b64encode(some_key.secret).decode()


def read_or_refused(read: Callable[[str], T], text: str) -> T | str:
    """What the text says, or what the error says. Other errors pass."""
    try:
        return read(text)
    except ConfigurationError as error:
        return str(error)


keys = st.builds(Key, st.sampled_from(keyring.ALGORITHMS), st.binary(min_size=32, max_size=32).filter(any))
rings = st.builds(
    lambda several, place: Keyring(tuple(several), several[place % len(several)]),
    st.lists(keys | st.just(PLAIN), min_size=1, max_size=MAX_KEYS, unique_by=lambda each: each.number),
    st.integers(0, MAX_KEYS),
)


# --- keys


def test_each_generated_key_is_another_one() -> None:
    generated = [Key.generate(), Key.generate(), Key.generate(CHACHA20_POLY1305)]
    assert len({each.secret for each in generated}) == 3
    assert [each.algorithm for each in generated] == [AES_256_GCM, AES_256_GCM, CHACHA20_POLY1305]
    assert Key.generate("plain") == PLAIN


def test_the_number_of_a_key_is_the_same_on_all_nodes_and_in_all_versions() -> None:
    assert key(1).number == bytes.fromhex(key(1).id)
    assert (key(1).id, key(1, CHACHA20_POLY1305).id, key(2).id) == ("e343", "f15e", "5c1a")
    assert (PLAIN.id, PLAIN.number) == ("plain", b"")


@pytest.mark.parametrize(
    ("algorithm", "secret"),
    [
        ("rot13", bytes(range(32))),
        (AES_256_GCM, bytes(range(31))),
        (AES_256_GCM, bytes(range(33))),
        (AES_256_GCM, b""),
        (AES_256_GCM, bytes(32)),
        (AES_256_GCM, "0123456789abcdef0123456789abcdef"),
        ("plain", bytes(range(32))),
    ],
)
def test_what_is_no_key_is_refused(algorithm: str, secret: bytes) -> None:
    with pytest.raises(ConfigurationError):
        Key(algorithm, secret)


@given(ring=rings)
def test_no_key_and_no_ring_shows_a_secret(ring: Keyring) -> None:
    for shown in (repr(ring), str(ring), *(repr(each) for each in ring.keys), *(each.id for each in ring.keys)):
        for each in ring.keys:
            assert each.is_plain or (secret_of(each) not in shown and repr(each.secret)[2:-1] not in shown)
            assert each.is_plain or each.secret.hex() not in shown


# --- rings


def test_a_rotation_adds_a_key_then_uses_it_then_drops_the_old_one() -> None:
    old, new = key(1), key(2)
    ring = Keyring.of(old).add(new)
    assert (ring.keys, ring.in_use) == ((old, new), old)
    ring = ring.use(new.id)
    assert (ring.keys, ring.in_use) == ((old, new), new)
    assert ring.drop(old.id) == Keyring.of(new)


def test_sealing_is_turned_on_by_the_same_steps_from_plain() -> None:
    ring = Keyring.of(PLAIN, key(1))
    assert ring.in_use.is_plain
    assert ring.allows_plain
    assert ring.use(key(1).id).allows_plain
    assert not ring.use(key(1).id).drop("plain").allows_plain


FULL = Keyring.of(*(key(seed) for seed in range(1, MAX_KEYS + 1)))


@pytest.mark.parametrize(
    ("misuse", "advice"),
    [
        (Keyring.of, "at least one key"),
        (lambda: Keyring((key(1),), key(2)), "add it first"),
        (lambda: Keyring.of(key(1)).add(key(1)), f"{key(1).id} is already there"),
        (lambda: Keyring.of(key(1)).add(namesake_of(key(1))), "generate a new one"),
        (lambda: Keyring.of(PLAIN, PLAIN), "plain is already there"),
        (lambda: FULL.add(key(100)), "drop those that no node uses any more"),
        (lambda: Keyring.of(key(1)).use(key(2).id), f"the ids are {key(1).id}"),
        (lambda: Keyring.of(key(1)).drop(key(2).id), f"the ids are {key(1).id}"),
        (lambda: Keyring.of(key(1)).drop("plain"), f"the ids are {key(1).id}"),
        (lambda: Keyring.of(key(1), key(2)).drop(key(1).id), "use another key first"),
    ],
)
def test_what_no_ring_may_become_is_refused_with_what_to_do(misuse: Callable[[], object], advice: str) -> None:
    with pytest.raises(ConfigurationError, match=advice):
        misuse()


# --- the text


@given(ring=rings)
def test_a_ring_that_is_written_and_read_is_the_same_ring(ring: Keyring) -> None:
    assert Keyring.parse(ring.format()) == ring
    assert keys_in(ring.format()) == ring.keys


def test_the_text_says_what_it_is_and_what_each_key_is_for() -> None:
    *remarks, first, second, third = Keyring.of(key(1), key(2, CHACHA20_POLY1305), PLAIN).format().splitlines()
    assert all(remark.startswith("# ") for remark in remarks)
    assert "chmod 600" in remarks[0]
    assert first.split() == ["use", key(1).id, "aes-256-gcm", secret_of(key(1))]
    assert second.split() == ["open", key(2, CHACHA20_POLY1305).id, "chacha20-poly1305", secret_of(key(2))]
    assert third == "open plain"


def test_people_may_add_comments_and_empty_lines_and_spaces() -> None:
    ring = Keyring.of(key(1), key(2))
    lines = ring.format().splitlines()
    assert Keyring.parse("\r\n\n".join(f"  # made by me, für uns\n\t{line}  " for line in lines)) == ring


LINE = f"{key(1).id} aes-256-gcm {secret_of(key(1))}"
OTHER = f"{key(2).id} aes-256-gcm {secret_of(key(2))}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no key"),
        ("# nothing but words\n", "no key"),
        (f"open {LINE}\n", "no key is in use"),
        (f"use {LINE}\nuse {OTHER}\n", 'line 2: .*begin this line with "open"'),
        (f"use {LINE}\n\nopen {LINE}\n", "line 3: .*already there"),
        ("use plain\nopen plain\n", "line 2: .*already there"),
        (f"# keys\nUSE {LINE}\n", 'line 2: .*begin with "use" or "open"'),
        (f"{LINE}\n", "line 1: .*begin with"),
        ("use\n", "line 1: .*come an id"),
        (f"use {LINE} {secret_of(key(2))}\n", "line 1: .*come an id"),
        (f"use {key(1).id} {secret_of(key(1))}\n", "line 1: .*come an id"),
        (f"use {secret_of(key(1))}\n", "line 1: .*come an id"),
        (f"use plain plain {secret_of(key(1))}\n", "line 1: .*come an id"),
        ("use Plain\n", "line 1: .*come an id"),
        (f"use {key(1).id} {secret_of(key(1))} aes-256-gcm\n", "line 1: the secret is damaged"),
        (f"use {key(1).id} aes-128-gcm {secret_of(key(1))}\n", "line 1: the algorithm"),
        (f"use {key(1).id} chacha20-poly1305 {secret_of(key(1))}\n", "line 1: .*belong together"),
        (f"use {key(2).id} aes-256-gcm {secret_of(key(1))}\n", "line 1: .*belong together"),
        (f"use {key(1).id.upper()} aes-256-gcm {secret_of(key(1))}\n", "line 1: .*belong together"),
        (f"use {key(1).id} aes-256-gcm {secret_of(key(1))[:-2]}\n", "line 1: the secret is damaged"),
        (f"use {key(1).id} aes-256-gcm {base64.b64encode(bytes(31)).decode()}\n", "line 1: .*must be 32 bytes"),
        (f"use {key(1).id} aes-256-gcm {base64.b64encode(bytes(32)).decode()}\n", "line 1: .*zeros"),
        ("".join(f"open {each.id} {each.algorithm} {secret_of(each)}\n" for each in (*FULL.keys, key(100))), "line 9"),
        ("# " + "x" * MAX_FILE_BYTES, "no file of keys"),
    ],
)
def test_a_text_that_is_no_ring_is_refused_and_the_line_named(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        Keyring.parse(text)
    assert not [seed for seed in range(1, 101) if secret_of(key(seed))[:8] in str(caught.value)]


@given(ring=rings, data=st.data())
def test_one_damaged_character_never_makes_another_ring_out_of_a_line(ring: Keyring, data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(ring.format().splitlines()[2:]))
    place = data.draw(st.integers(0, len(line) - 1))
    wrong = data.draw(st.characters(exclude_characters="#\n", exclude_categories=["Cs"]))
    damaged = line[:place] + wrong + line[place + 1 :]
    assume(damaged.split() != line.split())
    made = read_or_refused(keys_in, damaged)
    if isinstance(made, str):
        assert len(made) < 200
        assert not [each for each in ring.keys if each.secret and secret_of(each)[:8] in made]
    else:  # an id has 16 bits: one damage in 65,536 is not seen
        assert made[0].id in damaged.split()
        assert made[0] not in ring.keys


@given(text=st.text() | st.lists(st.sampled_from(["use", "open", "plain", *LINE.split(), "\n", "#"])).map(" ".join))
def test_whatever_the_text_it_is_a_ring_or_refused(text: str) -> None:
    ring = read_or_refused(Keyring.parse, text)
    if isinstance(ring, str):
        assert secret_of(key(1)) not in ring
    else:
        assert Keyring.parse(ring.format()) == ring


# --- the file


def test_a_ring_comes_back_from_its_file_which_only_its_owner_can_read(tmp_path: Path) -> None:
    ring, file = Keyring.of(key(1), PLAIN), tmp_path / "keys"
    ring.save(file)
    assert Keyring.load(file) == Keyring.load(str(file)) == ring
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o660, 0o600), (0o400, 0o400)])
def test_saving_never_widens_the_rights_to_a_file(tmp_path: Path, before: int, after: int) -> None:
    file = tmp_path / "keys"
    file.touch(before)
    file.chmod(before)
    Keyring.of(key(1)).save(file)
    assert stat.S_IMODE(file.stat().st_mode) == after


def test_saving_through_a_link_changes_the_file_that_it_leads_to(tmp_path: Path) -> None:
    file, link = tmp_path / "keys", tmp_path / "link"
    Keyring.of(key(1)).save(file)
    link.symlink_to(file)
    Keyring.of(key(2)).save(link)
    assert link.is_symlink()
    assert Keyring.load(file) == Keyring.of(key(2))


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    Keyring.of(key(1)).save(file)

    def disk_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(ConfigurationError, match=f"{file}: No space left"):
        Keyring.of(key(2)).save(file)
    assert Keyring.load(file) == Keyring.of(key(1))
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "my keys"
    Keyring.of(key(1)).save(file)
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"{file}: .*chmod 600 '{file}'"):
        Keyring.load(file)


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    Keyring.of(key(1)).save(file)
    if file.stat().st_uid == 0:
        os.chown(file, NOBODY, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    with pytest.raises(ConfigurationError, match=r"another user .*chown"):
        Keyring.load(file)


def test_what_is_no_file_of_keys_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    contents = {"image": b"\x89PNG\xff", "log": b"use plain\n" * MAX_FILE_BYTES, "empty": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    for name in ("pipe", "folder", "missing", *contents):
        with pytest.raises(ConfigurationError, match=f"^{tmp_path / name}: "):
            Keyring.load(tmp_path / name)
    for name in ("folder", "missing/keys"):
        with pytest.raises(ConfigurationError, match=f"^{tmp_path / name}: "):
            Keyring.of(key(1)).save(tmp_path / name)


def test_a_damaged_file_is_refused_without_a_secret_in_the_error_or_its_cause(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"use {LINE[:-4]}\n", encoding="ascii")
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="line 1") as caught:
        Keyring.load(file)
    assert caught.value.__cause__ is None
    assert secret_of(key(1))[:8] not in str(caught.value)
