"""Files with secrets, which only their owner may read or write, and files that say whom to trust, which only their
owner may write.

This module decides which owner and which rights a file must have, and how two processes that change one file take
turns. It does not decide what is in a file. It locks the file itself, by ``flock``, after it has checked the rights.
The lock files of packages would leave a second file behind.

On Windows a file has neither an owner nor rights of that kind, so nothing here can say who may read it. There the
module can be imported, and each of its functions that reads or writes a file refuses to.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import TypeVar

from gossip.core.errors import ConfigurationError
from gossip.core.support.arguments import given, wrong

T = TypeVar("T")
_Check = Callable[[os.stat_result, str], None]

_PRIVATE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITTEN_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0

_NO_RIGHTS = (
    "this system has no owners and rights of files that tell who may read a secret, so no file of keys is read or "
    "written here: keep the keys where this system keeps secrets, and make them with Keyring.parse(text), "
    "SigningKey(secret) or a mapping for allowed"
)

_BEYOND_640 = stat.S_IXUSR | stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
"""Rights that a file of root's must not have if another user reads it. Its group may read it: root decides who is in
that group. Kubernetes, for example, gives secrets in this way to services that do not run as root."""


def load(path: str | os.PathLike[str], parse: Callable[[str], T], what: str, most: int) -> T:
    """The content of a file.

    :param what: the kind of file, for errors, such as ``a file of keys``.
    :param most: the most bytes that it may have.
    :raises ConfigurationError: if it cannot be read or parsed; if anybody else may read or write it; or if its owner is
        neither the reader nor root. A group may read a file of root's if the reader is not root. The text begins with
        the path.
    """
    return _load(path, parse, what, most, _check_private)


def load_trusted(path: str | os.PathLike[str], parse: Callable[[str], T], what: str, most: int) -> T:
    """The content of a file that everybody may read; the arguments are those of :func:`load`.

    :raises ConfigurationError: if it cannot be read or parsed; if anybody but the reader and root may write it; or if
        another user owns it. The text begins with the path.
    """
    return _load(path, parse, what, most, _check_trusted)


def save(path: str | os.PathLike[str], text: str) -> None:
    """Write a file that only its owner can read. After a crash, the old file or the new one is there, and no mixture.

    :raises ConfigurationError: if it cannot be written; the text begins with the path.
    """
    shown = _path(path)
    with _errors_that_name(shown):
        _replace(os.path.realpath(shown), text.encode())


@contextlib.contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keep other processes out of such a block for this file, so that nobody changes it between loading and saving.

    Waits for a process that is in such a block. Processes that only load the file do not wait. No second file is left
    behind.

    :raises ConfigurationError: if :func:`load` would refuse the file, or it cannot be locked; the text begins with the
        path.
    """
    shown = _path(path)
    with _errors_that_name(shown):
        descriptor = _lock(shown)
    try:
        yield
    finally:
        os.close(descriptor)


def save_new(path: str | os.PathLike[str], text: str) -> None:
    """Write a file like :func:`save`, if none is there.

    :raises ConfigurationError: if there is one, or it cannot be written; the text begins with the path.
    """
    shown = _path(path)
    try:
        os.close(os.open(shown, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
    except FileExistsError:
        raise ConfigurationError(f"{shown} exists already: give another name") from None
    except OSError as error:
        raise ConfigurationError(f"{shown}: {error.strerror}") from None
    try:
        save(shown, text)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(shown)
        raise


def from_base64(text: str) -> bytes:
    """The bytes of a secret.

    :raises ConfigurationError: if it is not exactly what base64 writes; the text does not show the secret.
    """
    with contextlib.suppress(ValueError):
        secret = base64.b64decode(text, validate=True)
        if base64.b64encode(secret).decode() == text:  # the last character has bits that decoding ignores
            return secret
    raise ConfigurationError("the secret is damaged: it is not what base64 writes")


def _path(path: str | os.PathLike[str]) -> str:
    if not isinstance(path, (str, os.PathLike)):  # not shown: it may be the secret itself
        raise wrong("path", "the path of a file, a text or a pathlib.Path", path, secret=True)
    shown = os.fspath(path)
    if not isinstance(shown, str) or "\0" in shown:
        raise ConfigurationError(f"path: no file can have this name, which is {given(path, secret=True)}")
    if sys.platform == "win32":
        raise ConfigurationError(f"{shown}: {_NO_RIGHTS}")
    return shown


@contextlib.contextmanager
def _errors_that_name(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _load(path: str | os.PathLike[str], parse: Callable[[str], T], what: str, most: int, check: _Check) -> T:
    shown = _path(path)
    with _errors_that_name(shown):
        try:
            return parse(_read(shown, what, most, check).decode())
        except UnicodeDecodeError:
            raise ConfigurationError(f"this is not {what}: it is not text in UTF-8") from None


def _read(path: str, what: str, most: int, check: _Check) -> bytes:
    descriptor = _open_at_once(path, os.O_RDONLY)
    try:
        check(os.fstat(descriptor), path)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise ConfigurationError(f"this is not {what}: it has more than {most} bytes")
    return data


def _check_owned(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError("this is no file")
    reader = _reader()
    if status.st_uid not in (reader, _ROOT):
        raise ConfigurationError(
            f"it belongs to another user (uid {status.st_uid}), who could change it: "
            f"run as that user, or chown {reader} {shlex.quote(path)}"
        )


def _check_trusted(status: os.stat_result, path: str) -> None:
    _check_owned(status, path)
    if status.st_mode & _WRITTEN_BY_OTHERS:
        raise ConfigurationError(f"others may write it and so decide whom to trust: chmod go-w {shlex.quote(path)}")


def _check_private(status: os.stat_result, path: str) -> None:
    _check_owned(status, path)
    reader, quoted = _reader(), shlex.quote(path)
    if status.st_uid == reader and status.st_mode & _OTHERS:
        for_a_group = "" if reader == _ROOT else "; or make root its owner, and chmod 640 it for one of your groups"
        raise ConfigurationError(f"others may read or write it: chmod 600 {quoted}{for_a_group}")
    if status.st_uid != reader and status.st_mode & _BEYOND_640:
        raise ConfigurationError(
            f"it belongs to root, and nobody but root and a group of yours may read it: chmod 640 {quoted}; "
            f"or make it your own: chown {reader}, and chmod 600"
        )


def _lock(path: str) -> int:
    while True:
        descriptor = _open_to_lock(path)
        try:
            # Checked before waiting: anybody who may read a file may also lock it, and make us wait.
            _check_private(os.fstat(descriptor), path)
            _wait_for_lock(descriptor)
            # The process before us may have replaced the file by another one, which is not locked.
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open_to_lock(path: str) -> int:
    try:
        return _open_at_once(path, os.O_RDWR)  # nothing is written, but NFS needs write access for an exclusive lock
    except OSError:
        return _open_at_once(path, os.O_RDONLY)


def _replace(path: str, data: bytes) -> None:
    folder = os.path.dirname(path)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".gossip-", dir=folder)
    except OSError as error:  # the rights to the folder decide this, not those to the file
        raise ConfigurationError(f"a new file has to replace it, but {folder} accepts none: {error.strerror}") from None
    try:
        with open(descriptor, "wb") as file:
            _set_rights(descriptor, _rights(path))
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _rights(path: str) -> int:
    """The rights of the owner to the present file."""
    try:
        return os.stat(path).st_mode & _PRIVATE
    except FileNotFoundError:
        return _PRIVATE


def _sync_folder(folder: str) -> None:
    # The new name then survives a power failure. Not every file system can do that; the file is there without it, too.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# What only POSIX systems have.


def _open_at_once(path: str, flags: int) -> int:
    """Open a file. Without O_NONBLOCK, a pipe with this name would block until something writes to it."""
    if sys.platform == "win32":
        raise ConfigurationError(_NO_RIGHTS)
    return os.open(path, flags | os.O_NONBLOCK)


def _reader() -> int:
    if sys.platform == "win32":
        raise ConfigurationError(_NO_RIGHTS)
    return os.geteuid()


def _wait_for_lock(descriptor: int) -> None:
    if sys.platform == "win32":
        raise ConfigurationError(_NO_RIGHTS)
    import fcntl  # noqa: PLC0415  (Windows has none)

    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _set_rights(descriptor: int, rights: int) -> None:
    if sys.platform == "win32":
        raise ConfigurationError(_NO_RIGHTS)
    os.fchmod(descriptor, rights)
