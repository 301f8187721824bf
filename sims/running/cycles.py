"""Garbage collection: few searches for cycles, because most of a simulation's millions of objects live to its end."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator

OBJECTS_PER_GC = 10_000
"""New objects between two searches for cycles among the youngest objects. Few objects of a run are part of a cycle."""

FROZEN_BY_PYTHON = 10_000
"""More objects than Python itself freezes when it starts: some hundreds in 3.12, none in others."""


@contextlib.contextmanager
def few_searches_for_cycles() -> Iterator[Callable[[], None]]:
    """Search for no cycles until the yielded function is called, then for few. The call says that all present objects
    live to the end.

    While a large cluster is built, searching for cycles would take half of the time.

    If the program around has frozen its own objects (``gc.freeze``), these stay frozen and no others are added.
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
