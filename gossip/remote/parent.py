"""The end of the program, as the process of its node notices it, however the program ends.

The end of the channel is not enough: other children that the program has forked may hold copies of its end, and keep it
open.
"""

from __future__ import annotations

import os
import sys

import trio

LOOK_EVERY_S = 1.0
"""Seconds between two looks at the parent, where the system cannot tell when it ends."""


async def wait_for_end_of(parent: int) -> None:
    """Return when the process with this id, the parent of this one, has ended.

    Where the system lacks pidfd_open (Linux has it since 5.3), it takes up to :data:`LOOK_EVERY_S`.
    """
    if sys.platform == "win32":
        raise NotImplementedError("a node in a process of its own is refused on Windows before this is called")
    try:
        descriptor = os.pidfd_open(parent)
    except (AttributeError, OSError):
        while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells when it ends
            await trio.sleep(LOOK_EVERY_S)
        return
    try:
        if os.getppid() == parent:  # if not, it ended before, and the descriptor may be of another process
            await trio.lowlevel.wait_readable(descriptor)
    finally:
        os.close(descriptor)
