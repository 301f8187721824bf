"""What a process uses, as the kernel tells it."""

from __future__ import annotations

import os
import threading

import pytest

from benchmarks.environment import usage

ME = os.getpid()


def test_cpu_time_grows_with_work() -> None:
    before = usage.cpu_s(ME)
    while usage.cpu_s(ME) == before:
        sum(range(100_000))
    assert usage.cpu_s(ME) == pytest.approx(sum(os.times()[:2]), abs=1.0)


def test_memory_grows_by_what_is_held() -> None:
    before = usage.memory_kib(ME)
    held = bytearray(os.urandom(1 << 24))
    assert usage.memory_kib(ME) >= before + 0.9 * len(held) / 1024


def test_threads_and_descriptors_are_counted() -> None:
    threads, descriptors = usage.threads(ME), usage.descriptors(ME)
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    with open(os.devnull, "rb"):
        thread.start()
        assert (usage.threads(ME), usage.descriptors(ME)) == (threads + 1, descriptors + 1)
        go_on.set()
        thread.join()


def test_a_process_that_has_ended_uses_nothing() -> None:
    ended = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(ended, 0)
    for each in (usage.cpu_s, usage.memory_kib, usage.threads, usage.descriptors):
        with pytest.raises(OSError, match="No such"):
            each(ended)
