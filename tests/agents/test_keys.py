"""Keys by the command line: made, looked at and changed in their files, and taken up by agents that run."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from gossip.keyring import MAX_KEYS, PLAIN, Key, Keyring
from tests.agents.helpers import COMMAND_LIMIT_S, GOSSIP, assert_one_line, run_command, run_gossip

# --- the files


def new_file(folder: Path, *keys: Key) -> Path:
    """A file with these keys, or with a new one."""
    file = folder / "keys"
    Keyring.of(*(keys or (Key.generate(),))).save(file)
    return file


def change(file: Path, *arguments: str) -> str:
    """Run ``gossip keys`` on a file; returns what it says."""
    done = run_gossip("keys", *arguments, "--keyring", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def assert_no_secret(text: str, *files: Path) -> None:
    """Check that nothing in these files is in the text that ought to stay there."""
    secrets = {word for file in files for word in file.read_text().split() if len(word) > 40}
    assert secrets
    assert not [secret for secret in secrets if secret[:8] in text]


@pytest.mark.parametrize("algorithm", ["aes-256-gcm", "chacha20-poly1305"])
def test_keygen_makes_a_private_file_with_one_key_and_says_what_is_next(tmp_path: Path, algorithm: str) -> None:
    file = tmp_path / "my keys"
    done = run_gossip("keygen", "--algorithm", algorithm, str(file))
    assert done.returncode == 0
    ring = Keyring.load(file)
    assert [key.algorithm for key in ring.keys] == [algorithm]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"new key {ring.in_use.id}" in done.stdout
    assert f"gossip agent --keyring '{file}'" in done.stdout
    assert_no_secret(done.stdout, file)


def test_keygen_for_a_cluster_that_runs_without_keys_seals_nothing_yet(tmp_path: Path) -> None:
    done = run_gossip("keygen", "--plain-first", str(tmp_path / "keys"))
    assert done.returncode == 0
    ring = Keyring.load(tmp_path / "keys")
    assert ring.in_use == PLAIN
    (key,) = (key for key in ring.keys if not key.is_plain)
    assert f"gossip keys use {key.id}" in done.stdout


def test_keygen_does_not_overwrite_a_file(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    before = file.read_bytes()
    done = run_gossip("keygen", str(file))
    assert done.returncode == 2
    assert "is there already" in assert_one_line(done.stderr)
    assert file.read_bytes() == before


def test_a_key_is_added_then_used_and_the_old_one_dropped(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    old = Keyring.load(file).in_use
    said = change(file, "add", "--algorithm", "chacha20-poly1305")
    (new,) = (key for key in Keyring.load(file).keys if key != old)
    assert new.algorithm == "chacha20-poly1305"
    assert Keyring.load(file) == Keyring.of(old, new)
    assert f"added {new.id}: sealing with {old.id}, opening {old.id} and {new.id}\n" in said
    assert f"gossip keys use {new.id}" in said
    said += change(file, "use", new.id)
    assert Keyring.load(file) == Keyring.of(old, new).use(new.id)
    assert f"gossip keys drop {old.id}" in said
    said += change(file, "drop", old.id)
    assert Keyring.load(file) == Keyring.of(new)
    assert f"{old.id} is gone: sealing with {new.id}, opening {new.id}\n" in said
    assert_no_secret(said, file)


def test_sealing_is_turned_off_by_the_same_steps_with_plain(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    key = Keyring.load(file).in_use
    assert "accepting what is not sealed" in change(file, "add", "plain")
    assert "sealing nothing" in change(file, "use", "plain")
    assert Keyring.load(file) == Keyring.of(key, PLAIN).use("plain")
    change(file, "drop", key.id)
    assert Keyring.load(file) == Keyring.of(PLAIN)


def test_the_list_shows_what_each_key_is_for_and_no_secret(tmp_path: Path) -> None:
    used, other = Key.generate(), Key.generate("chacha20-poly1305")
    file = new_file(tmp_path, used, other, PLAIN)
    table, as_json = change(file, "list"), change(file, "list", "--json")
    assert [row.split() for row in table.splitlines()] == [
        ["ID", "ALGORITHM", "USED", "TO"],
        [used.id, "aes-256-gcm", "seal", "and", "open"],
        [other.id, "chacha20-poly1305", "open"],
        ["plain", "accept", "unsealed"],
    ]
    assert json.loads(as_json) == [
        {"id": used.id, "algorithm": "aes-256-gcm", "in_use": True},
        {"id": other.id, "algorithm": "chacha20-poly1305", "in_use": False},
        {"id": "plain", "algorithm": "plain", "in_use": False},
    ]
    assert_no_secret(table + as_json, file)


def test_the_keys_of_another_file_are_taken_over_but_neither_its_use_nor_plain(tmp_path: Path) -> None:
    mine, theirs = Key.generate(), Key.generate()
    (tmp_path / "other").mkdir()
    file, other = new_file(tmp_path, mine), new_file(tmp_path / "other", theirs, mine, PLAIN)
    said = change(file, "add", "--from", str(other))
    assert Keyring.load(file) == Keyring.of(mine, theirs)
    assert "nothing to add" in change(file, "add", "--from", str(other))
    assert_no_secret(said, file, other)


def from_standard_input(file: Path, given: str) -> subprocess.CompletedProcess[str]:
    command = [*GOSSIP, "keys", "add", "--from", "-", "--keyring", str(file)]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)


def test_a_single_line_of_another_file_comes_by_standard_input(tmp_path: Path) -> None:
    mine, theirs = Key.generate(), Key.generate()
    file = new_file(tmp_path, mine)
    line = Keyring.of(mine, theirs).format().splitlines()[-1]
    assert line.startswith(f"open {theirs.id}")
    assert from_standard_input(file, line).returncode == 0
    assert Keyring.load(file) == Keyring.of(mine, theirs)


def test_what_is_no_key_on_standard_input_changes_nothing_and_is_not_repeated(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    before = file.read_bytes()
    for given in ("", "# nothing\n", f"use {'s3cr3t' * 8}\n", "x" * 100_000):
        done = from_standard_input(file, given)
        assert done.returncode == 2
        assert "standard input" in assert_one_line(done.stderr)
        assert "s3cr3t" not in done.stderr
    assert file.read_bytes() == before


def test_a_step_that_would_be_wrong_is_refused_with_what_to_do_and_changes_nothing(tmp_path: Path) -> None:
    full = [Key.generate() for _ in range(MAX_KEYS)]
    file = new_file(tmp_path, *full)
    before = file.read_bytes()
    for arguments, advice in [
        (("drop", full[0].id), "use another key first"),
        (("drop", "plain"), f"there is {full[0].id}"),
        (("use", "zzzz"), f"there is {full[0].id}"),
        (("add",), "drop those"),
        (("add", "plain", "--from", str(file)), "one at a time"),
        (("add", "rot13"), "plain"),
        (("add", "--from", str(tmp_path / "missing")), "No such file"),
    ]:
        done = run_gossip("keys", *arguments, "--keyring", str(file))
        assert done.returncode == 2
        assert advice in assert_one_line(done.stderr)
    assert file.read_bytes() == before


def test_a_file_that_others_can_read_is_refused_by_every_command(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.chmod(0o640)
    for arguments in (
        ("keys", "list"),
        ("keys", "drop", "plain"),
    ):
        done = run_gossip(*arguments, "--keyring", str(file))
        assert done.returncode == 2
        assert f"chmod 600 {file}" in assert_one_line(done.stderr)
        assert done.stdout == ""


def test_keys_are_made_and_changed_without_the_package_that_seals(tmp_path: Path) -> None:
    code = "import sys, runpy; sys.modules['cryptography'] = None; runpy.run_module('gossip', run_name='__main__')"
    for arguments in (("keygen",), ("keys", "add", "--keyring"), ("keys", "list", "--keyring")):
        done = run_command(*GOSSIP[:1], "-c", code, *arguments, str(tmp_path / "keys"))
        assert (done.returncode, done.stderr) == (0, "")
    assert len(Keyring.load(tmp_path / "keys").keys) == 2
