"""What a process of this machine uses now, read from ``/proc``. A process that has ended raises :class:`OSError`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") / 1024
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

_ALL_OF_ITS_THREADS = 2
"""CPUCLOCK_SCHED of Linux."""

_USER_TICKS, _SYSTEM_TICKS, _THREADS = 11, 12, 17
"""Fields of ``/proc/PID/stat``, counted from the one after the name of the program (proc(5))."""


def memory_kib(pid: int) -> float:
    """Memory that it occupies (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KIB


def cpu_s(pid: int) -> float:
    """CPU time that it has used since its start, in seconds."""
    fields = _stat(pid)
    return (fields[_USER_TICKS] + fields[_SYSTEM_TICKS]) / TICKS_PER_S


def threads(pid: int) -> int:
    """How many threads it has."""
    return _stat(pid)[_THREADS]


def descriptors(pid: int) -> int:
    """How many descriptors it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def sockets(pid: int) -> int:
    """How many of its descriptors are sockets."""
    return sum(_target(pid, each).startswith("socket:") for each in os.listdir(f"/proc/{pid}/fd"))


def family(pid: int) -> Iterator[int]:
    """It, and the processes that descend from it."""
    yield pid
    for task in os.listdir(f"/proc/{pid}/task"):
        for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
            yield from family(int(child))


def fine_cpu_s(pid: int) -> float:
    """The same as :func:`cpu_s`, in steps of nanoseconds: its CPU clock, as clock_getcpuclockid(3) numbers it."""
    return time.clock_gettime(~pid << 3 | _ALL_OF_ITS_THREADS)


def _target(pid: int, descriptor: str) -> str:
    """What a descriptor stands for; empty if it has been closed since it was listed."""
    try:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")
    except FileNotFoundError:
        return ""


def _stat(pid: int) -> list[int]:
    """The numbers of ``/proc/PID/stat`` after the program's name, which may hold spaces and brackets."""
    return [0, *map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1:])]
