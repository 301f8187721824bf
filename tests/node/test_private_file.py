"""Files with secrets: whose are read, with which rights, and that changes of one file never undo each other."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from gossip.core.errors import ConfigurationError
from gossip.security import private_file

ROOT = 0
USER = 1000
STRANGER = 1001


def new_file(folder: Path, text: str = "a secret") -> Path:
    """A file that only its owner can read."""
    file = folder / "my file"
    private_file.save(file, text)
    return file


def load(file: Path) -> str:
    """All that is in it."""
    return private_file.load(file, str, "a file with a secret", 1000)


def let_it_seem(monkeypatch: pytest.MonkeyPatch, *, owner: int, reader: int) -> None:
    """Let files that are opened belong to one user, and be read by another."""
    fstat = os.fstat

    def of_owner(descriptor: int) -> os.stat_result:
        mode, inode, device, links, _, *rest = fstat(descriptor)
        return os.stat_result((mode, inode, device, links, owner, *rest))

    monkeypatch.setattr(os, "fstat", of_owner)
    monkeypatch.setattr(os, "geteuid", lambda: reader)


# --- rights


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_what_root_lets_a_group_read_is_read_by_a_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    file = new_file(tmp_path)
    file.chmod(mode)
    let_it_seem(monkeypatch, owner=ROOT, reader=USER)
    assert load(file) == "a secret"


@pytest.mark.parametrize("mode", [0o660, 0o620, 0o650, 0o740, 0o644, 0o642, 0o641, 0o604, 0o777])
def test_what_root_lets_anybody_do_more_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    file = new_file(tmp_path)
    file.chmod(mode)
    let_it_seem(monkeypatch, owner=ROOT, reader=USER)
    with pytest.raises(
        ConfigurationError, match=rf"^{file}: .*belongs to root.*chmod 640 '{file}'.*chown {USER}.*chmod 600"
    ):
        load(file)


@pytest.mark.parametrize("mode", [0o640, 0o440, 0o604, 0o620])
@pytest.mark.parametrize(("owner", "advice"), [(USER, "chmod 600 '{}'; or make root .*640"), (ROOT, "chmod 600 '{}'$")])
def test_a_file_of_ones_own_is_read_by_nobody_else_not_even_by_a_group_of_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int, advice: str, mode: int
) -> None:
    file = new_file(tmp_path)
    file.chmod(mode)
    let_it_seem(monkeypatch, owner=owner, reader=owner)
    with pytest.raises(ConfigurationError, match=advice.format(file)):
        load(file)


@pytest.mark.parametrize("reader", [USER, ROOT])
@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_file_of_another_user_is_refused_whoever_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: int, mode: int
) -> None:
    file = new_file(tmp_path)
    file.chmod(mode)
    let_it_seem(monkeypatch, owner=STRANGER, reader=reader)
    with pytest.raises(ConfigurationError, match=rf"uid {STRANGER}.*chown {reader} '{file}'"):
        load(file)


def test_saving_what_a_group_could_read_leaves_it_to_its_owner(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.chmod(0o440)
    private_file.save(file, "another secret")
    assert file.stat().st_mode & 0o777 == 0o400


def test_where_no_new_file_can_be_made_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"^{tmp_path}/none/file: .*{tmp_path}/none accepts none: No such file"
    ):
        private_file.save(tmp_path / "none" / "file", "a secret")


# --- one at a time


def is_free(file: Path) -> bool:
    """Whether somebody who wanted to change the file now would not have to wait."""
    with open(file, "rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def fail(file: Path) -> None:
    """A change that comes to nothing."""
    with private_file.locked(file):
        assert not is_free(file)
        raise ZeroDivisionError


def test_a_file_is_free_again_when_it_was_changed_or_the_change_failed_and_nothing_stays(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    with private_file.locked(file):
        assert not is_free(file)
        private_file.save(file, "another secret")
    assert is_free(file)
    with pytest.raises(ZeroDivisionError):
        fail(file)
    assert is_free(file)
    assert list(tmp_path.iterdir()) == [file]


def test_whoever_got_a_file_that_was_replaced_meanwhile_locks_the_one_that_is_there_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = new_file(tmp_path, "1")
    texts, flock = ["2", "3"], fcntl.flock

    def late(descriptor: int, how: int) -> None:
        if texts:
            private_file.save(file, texts.pop(0))
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with private_file.locked(file):
        assert load(file) == "3"
        assert not is_free(file)


def test_a_file_reached_by_a_link_is_locked_for_all(tmp_path: Path) -> None:
    file, link = new_file(tmp_path), tmp_path / "link"
    link.symlink_to(file)
    with private_file.locked(link):
        assert not is_free(file)


def test_nobody_waits_for_a_file_that_others_can_read_for_they_could_hold_it_for_ever(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.chmod(0o644)
    with open(file, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ConfigurationError, match=f"^{file}: .*chmod 600"), private_file.locked(file):
            pass


def test_what_is_no_file_is_not_locked(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    for name in ("pipe", "folder", "missing"):
        with pytest.raises(ConfigurationError, match=f"^{tmp_path / name}: "), private_file.locked(tmp_path / name):
            pass


def test_a_file_that_may_only_be_read_is_locked_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, open_ = new_file(tmp_path), os.open

    def read_only(path: str, flags: int) -> int:
        if flags & os.O_ACCMODE != os.O_RDONLY:
            raise PermissionError(13, "Permission denied")
        return open_(path, flags)

    monkeypatch.setattr(os, "open", read_only)
    with private_file.locked(file):
        assert not is_free(file)
