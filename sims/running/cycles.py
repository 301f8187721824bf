"""Searches for cycles: as few as simulations can do with, whose millions of objects mostly live to the end."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator

OBJECTS_PER_GC = 10_000
"""New objects between two searches for cycles among the youngest. Few of a run's objects are part of one."""

FROZEN_BY_PYTHON = 10_000
"""More objects than Python itself has declared to stay when it starts: some hundreds in 3.12, none in others."""


@contextlib.contextmanager
def few_searches_for_cycles() -> Iterator[Callable[[], None]]:
    """Make none until what is yielded is called, which says that all objects there are will live to the end; then few.

    While a large cluster is built, looking for cycles among what stays would take half of the time.

    Where the program around has declared its own objects to stay (``gc.freeze``), it keeps the say: what it has
    declared remains so, and nothing is added to it.
    """
    thresholds = gc.get_threshold()
    is_ours = gc.get_freeze_count() < FROZEN_BY_PYTHON

    def all_stays() -> None:
        if is_ours:
            gc.freeze()
        gc.set_threshold(OBJECTS_PER_GC)
        gc.enable()

    gc.collect()
    gc.disable()
    try:
        yield all_stays
    finally:
        gc.set_threshold(*thresholds)
        gc.enable()
        if is_ours:
            gc.unfreeze()
