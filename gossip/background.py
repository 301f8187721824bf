"""Tasks that run beside a block and end with it, without changing how its exceptions look."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup


@asynccontextmanager
async def background_tasks() -> AsyncIterator[trio.Nursery]:
    """Open a nursery that is cancelled when the block ends.

    An exception of the block passes out as itself, and so does that of a task in the nursery, which
    cancels the block. Only when several fail at once do they come as a group.
    """
    block_error: BaseException | None = None
    group: BaseExceptionGroup[BaseException] | None = None
    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery:
            try:
                yield nursery
            except trio.Cancelled:
                raise
            except BaseException as error:  # noqa: BLE001 - raised again below
                block_error = error
            finally:
                nursery.cancel_scope.cancel()
    except trio.Cancelled:
        if block_error is None:
            raise
    except BaseExceptionGroup as raised:
        _, group = raised.split(trio.Cancelled)
        if group is None and block_error is None:
            raise
    failures = [] if group is None else _leaves(group)
    if block_error is not None:
        failures.append(block_error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise BaseExceptionGroup("the block and its background tasks failed", failures)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves
