"""What a process uses, as the kernel tells it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.environment import usage

ME = os.getpid()

COUNTS_ITSELF = """
import os, threading
from benchmarks.environment import usage
me, go_on = os.getpid(), threading.Event()
print(usage.threads(me), usage.descriptors(me))
with open(os.devnull, "rb"):
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    print(usage.threads(me), usage.descriptors(me))
    go_on.set()
    thread.join()
"""

COUNTS_SOCKETS = """
import os, socket
from benchmarks.environment import usage
print(usage.sockets(os.getpid()))
with open(os.devnull, "rb"), socket.socket():
    print(usage.sockets(os.getpid()))
"""

PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


def test_cpu_time_grows_with_work() -> None:
    before = usage.cpu_s(ME)
    while usage.cpu_s(ME) == before:
        sum(range(100_000))
    assert usage.cpu_s(ME) == pytest.approx(sum(os.times()[:2]), abs=1.0)


def test_the_fine_clock_is_the_same_clock() -> None:
    before = usage.fine_cpu_s(ME)
    assert before == pytest.approx(usage.cpu_s(ME), abs=1.0)
    sum(range(1000))
    assert usage.fine_cpu_s(ME) > before


def test_a_family_is_a_process_and_all_that_descend_from_it() -> None:
    """A shell that starts another one, which waits for the end of its input."""
    with subprocess.Popen(["sh", "-c", "sh -c 'echo; read _; true'; true"], **PIPES) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        family = list(usage.family(shell.pid))
        assert family[0] == shell.pid
        assert len(family) == 2
        assert shell.pid in usage.family(ME)
        shell.communicate()


def test_sockets_are_told_from_other_descriptors() -> None:
    counted = subprocess.run([sys.executable, "-c", COUNTS_SOCKETS], capture_output=True, text=True, check=True)
    assert counted.stdout.split() == ["0", "1"]


def test_memory_grows_by_what_is_held() -> None:
    before = usage.memory_kib(ME)
    held = bytearray(os.urandom(1 << 24))
    assert usage.memory_kib(ME) >= before + 0.9 * len(held) / 1024


def test_threads_and_descriptors_are_counted() -> None:
    """In a process of its own: others' threads end, and their files are closed, when they like."""
    counted = subprocess.run([sys.executable, "-c", COUNTS_ITSELF], capture_output=True, text=True, check=True)
    threads, descriptors, more_threads, more_descriptors = map(int, counted.stdout.split())
    assert (more_threads, more_descriptors) == (threads + 1, descriptors + 1)


def test_a_process_that_has_ended_uses_nothing() -> None:
    ended = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(ended, 0)
    for each in (usage.cpu_s, usage.memory_kib, usage.threads, usage.descriptors):
        with pytest.raises(OSError, match="No such"):
            each(ended)
