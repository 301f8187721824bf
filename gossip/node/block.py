"""The block in which a node lives: ``async with`` enters it, trio runs it, and tasks run beside it.

This module decides which error a program gets if it enters the block in another way, and how exceptions pass out of
the block. It does not decide what happens in the block.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import NoReturn, ParamSpec, TypeVar

import trio

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

P = ParamSpec("P")
T = TypeVar("T")


def block_in_trio(opening: Callable[P, AsyncIterator[T]]) -> Callable[P, AbstractAsyncContextManager[T]]:
    """Like :func:`contextlib.asynccontextmanager`, with errors that say how to enter the block."""
    managed = asynccontextmanager(opening)

    @functools.wraps(opening)
    def opened(*args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[T]:
        return _TrioBlock(opening.__name__, managed(*args, **kwargs))

    return opened


def require_trio(what: str) -> None:
    """Make sure that trio runs the calling code.

    :raises RuntimeError: if something else runs it, or nothing does; the text says what to do.
    """
    if in_trio():
        return
    if _in_asyncio():
        instead = "asyncio runs this code: use gossip.aio"
    else:
        instead = (
            "no event loop runs this code: start the program with trio.run(main), use gossip.blocking, or call "
            "from another thread with trio.from_thread.run_sync"
        )
    raise RuntimeError(f"{what} needs trio, but {instead}")


def in_trio() -> bool:
    """Whether trio runs the calling code."""
    try:
        trio.current_time()
    except RuntimeError:
        return False
    return True


def _in_asyncio() -> bool:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class AsyncBlock(AbstractAsyncContextManager[T]):
    """A block that a program enters by ``async with``. Its errors say so if the program tries something else."""

    def __init__(self, name: str, runner: str) -> None:
        """:param name: of the function that makes the block.

        :param runner: what runs the code around it.
        """
        self._name = name
        self._runner = runner

    # The declared return type has none of these methods, so a type checker still finds the mistake.

    def __await__(self) -> NoReturn:
        raise TypeError(f"{self._name}(...) cannot be awaited: {self._how}")

    def __enter__(self) -> NoReturn:
        raise TypeError(f"{self._name}(...) needs 'async with': {self._how}")

    def __exit__(self, *_: object) -> None:
        """Never called; without it, Python would not call :meth:`__enter__`."""

    def __aiter__(self) -> NoReturn:
        raise TypeError(f"{self._name}(...) cannot be iterated over: {self._how}")

    @property
    def _how(self) -> str:
        return f"write 'async with {self._name}(...) as node:' in an async function that {self._runner} runs"


class _TrioBlock(AsyncBlock[T]):
    def __init__(self, name: str, managed: AbstractAsyncContextManager[T]) -> None:
        super().__init__(name, "trio.run(...)")
        self._managed = managed

    async def __aenter__(self) -> T:
        require_trio(self._name)
        return await self._managed.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._managed.__aexit__(kind, error, traceback)


@asynccontextmanager
async def background_tasks() -> AsyncIterator[trio.Nursery]:
    """Open a nursery that is cancelled when the block ends.

    An exception of the block passes out unchanged. A task that fails cancels the block, and the exception of the task
    passes out unchanged, too. Only several exceptions at once pass out as a group.
    """
    block_error: BaseException | None = None
    failure: BaseException | None = None
    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery:
            try:
                yield nursery
            except BaseException as error:
                if without_cancelled(error) is None:
                    raise
                block_error = error
            finally:
                nursery.cancel_scope.cancel()
    except BaseException as raised:
        failure = without_cancelled(raised)
        if failure is None and block_error is None:
            raise
    failures = [] if failure is None else _leaves(failure)
    if failures and block_error is not None:
        block_error = without_cancelled(block_error)  # it is this nursery that was cancelled
    if block_error is not None:
        failures.append(block_error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise BaseExceptionGroup("the block and its background tasks failed", failures)


def without_cancelled(error: BaseException) -> BaseException | None:
    """An error without the part that says that something was cancelled; None if that is all."""
    if isinstance(error, BaseExceptionGroup):
        cancelled, rest = error.split(trio.Cancelled)
        return error if cancelled is None else rest
    return None if isinstance(error, trio.Cancelled) else error


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in _leaves(each)]
