"""Caches of what is met again and again: addresses, records and their encodings. All are bounded."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

CACHED = 16_384
"""Results kept in each cache. A node meets the same ones again and again; and there is room for those of a full view,
because a cache that is smaller than what is gone through in turn never has what is wanted."""

_Function = TypeVar("_Function", bound=Callable[..., Any])
_caches: list[Any] = []


def cached(function: _Function) -> _Function:
    """Keep the results of a function of hashable arguments. (By type, because to a dictionary 1 is 1.0 and True.)"""
    cache: Any = lru_cache(CACHED, typed=True)(function)
    _caches.append(cache)
    return cache  # type: ignore[no-any-return]


def forget() -> None:
    """Empty all caches. For a process that runs one cluster after the other: what it keeps of those before would only
    make the next one slower."""
    for cache in _caches:
        cache.cache_clear()
