"""The block in which a node lives: that it is entered by ``async with``, and that trio runs it.

This module decides what a program is told that tries it in another way. What happens in the block is not its business.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import NoReturn, ParamSpec, TypeVar

import trio

P = ParamSpec("P")
T = TypeVar("T")


def block_in_trio(opening: Callable[P, AsyncIterator[T]]) -> Callable[P, AbstractAsyncContextManager[T]]:
    """Like :func:`contextlib.asynccontextmanager`, with errors that say how the block is entered."""
    managed = asynccontextmanager(opening)

    @functools.wraps(opening)
    def opened(*args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[T]:
        return _Block(opening.__name__, managed(*args, **kwargs))

    return opened


def require_trio(what: str) -> None:
    """Make sure that trio runs the code that calls this.

    :raises RuntimeError: if something else runs it, or nothing does; says what to do.
    """
    try:
        trio.current_time()
    except RuntimeError:
        instead = "asyncio runs this" if _in_asyncio() else "nothing runs this"
        raise RuntimeError(
            f"{what} needs trio, and {instead}: start the program by trio.run(main); from a thread that trio does not "
            "run, call by trio.from_thread.run_sync; or start 'gossip agent --events json' beside the program, and "
            "read what it prints"
        ) from None


def _in_asyncio() -> bool:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Block(AbstractAsyncContextManager[T]):
    def __init__(self, name: str, managed: AbstractAsyncContextManager[T]) -> None:
        self._name = name
        self._managed = managed

    async def __aenter__(self) -> T:
        require_trio(self._name)
        return await self._managed.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._managed.__aexit__(kind, error, traceback)

    # The type that is declared has none of these, so that a type checker still finds the mistake.

    def __await__(self) -> NoReturn:
        raise TypeError(f"{self._name}(...) cannot be awaited: {self._how}")

    def __enter__(self) -> NoReturn:
        raise TypeError(f"{self._name}(...) needs 'async with': {self._how}")

    def __exit__(self, *_: object) -> None:
        """Never called; without it, Python would not get as far as :meth:`__enter__`."""

    def __aiter__(self) -> NoReturn:
        raise TypeError(f"{self._name}(...) is not iterated over: {self._how}")

    @property
    def _how(self) -> str:
        return f"write 'async with {self._name}(...) as node:' in an async function that trio.run(...) runs"
