"""The file of keys of a running agent: reads it in a thread, and again when it has changed."""

from __future__ import annotations

import os
from pathlib import Path

import trio

from gossip.security import Keyring

LOOK_EVERY_S = 1.0
"""Seconds between two looks at the file. So the agent has new keys before a person can log in at the next node."""

Looks = tuple[int, int, int, int] | None
"""Identifies the state of a file without its content; None if there is no file."""


class KeyringFile:
    """Reads the file, and notices when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: Looks = None

    async def load(self) -> Keyring:
        """The keys in the file now.

        :raises ConfigurationError: as :meth:`gossip.security.keyring.Keyring.load`.
        """
        self._read = await self._looks()
        return await trio.to_thread.run_sync(Keyring.load, self.path, abandon_on_cancel=True)

    async def changed(self) -> None:
        """Return when the file or its rights differ from the last ones read.

        A file changes more than once while it is copied, so it must stay the same between two looks.
        """
        last = self._read
        while True:
            await trio.sleep(LOOK_EVERY_S)
            before, last = last, await self._looks()
            if last == before and last != self._read:
                return

    async def _looks(self) -> Looks:
        return await trio.to_thread.run_sync(_look_at, self.path, abandon_on_cancel=True)


def _look_at(path: Path) -> Looks:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
