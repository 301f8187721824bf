"""Files with secrets: whose are read, and with which rights."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gossip import private_file
from gossip.core.errors import ConfigurationError

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
    with pytest.raises(ConfigurationError, match=rf"^{file}: .*root's.*chmod 640 '{file}'.*chown {USER}.*chmod 600"):
        load(file)


@pytest.mark.parametrize("mode", [0o640, 0o440, 0o604, 0o620])
@pytest.mark.parametrize(("owner", "advice"), [(USER, "chmod 600 '{}'; or let root .*640"), (ROOT, "chmod 600 '{}'$")])
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
    with pytest.raises(ConfigurationError, match=rf"^{tmp_path}/none/file: .*{tmp_path}/none takes none: No such file"):
        private_file.save(tmp_path / "none" / "file", "a secret")
