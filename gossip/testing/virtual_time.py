"""Time that passes only where nothing happens, so that a test waits for nothing."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio
from trio.testing import MockClock

T = TypeVar("T")


def run(
    main: Callable[..., Awaitable[T]],
    *args: object,
    clock: trio.abc.Clock | None = None,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> T:
    """Like :func:`trio.run`, in virtual time: while all tasks wait, the clock jumps to what is due next. ::

        >>> import gossip.testing, time, trio
        >>> began = time.monotonic()
        >>> gossip.testing.run(trio.sleep, 3600)
        >>> time.monotonic() - began < 60
        True

    The fixture ``gossip_cluster`` has its tests run by this function. Other tests with pytest-trio take the fixture
    ``autojump_clock`` as an argument, or the marker ``@pytest.mark.trio(run=gossip.testing.run)``.

    :param main: an async function, called with ``args``.
    :param clock: another clock.
    :param instruments: as for :func:`trio.run`.
    """
    return trio.run(main, *args, clock=MockClock(autojump_threshold=0) if clock is None else clock,
                    instruments=instruments)  # fmt: skip


def require_time_that_passes() -> None:
    """See to it that nodes that wait for something do not wait for ever.

    :raises RuntimeError: if the clock stands still until the test moves it.
    """
    clock = trio.lowlevel.current_clock()
    if isinstance(clock, MockClock) and clock.rate == 0 and clock.autojump_threshold == math.inf:
        raise RuntimeError(
            "the clock of this test stands still, and nodes need time to find each other: take the fixture "
            "autojump_clock in place of mock_clock, or set the autojump_threshold of the clock to 0"
        )
