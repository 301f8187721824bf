"""The soak: what processes hold at first and at last, and a short one with real agents (``-m benchmark``)."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from benchmarks.agents.counted import LINE_BYTES, Counter
from benchmarks.agents.resources import Held, Quarters, Samples, held_by
from benchmarks.analysis.samples import Results, Sample, load
from benchmarks.endurance.soak import main
from tests.benchmarks.commands import LIMIT_S, interruptible, why_no_network
from tests.rst import ROOT

# --- quarters


def held(**other: float) -> Held:
    """What an agent holds, as usual but for some things."""
    usual = {"memory_kib": 40_000, "descriptors": 12, "threads": 3, "tasks": 9, "blocks": 150_000}
    return Held(**{**usual, **other})


def compared(*agents: Callable[[int], Held], times: Sequence[int] = range(100)) -> dict[str, Quarters]:
    """The quarters of agents that were sampled at these times, of 0 to 100."""
    samples = Samples()
    for number, agent in enumerate(agents):
        for at in times:
            samples.add(f"a{number}", at, agent(at))
    return {each.name: each for each in samples.quarters(0, 100)}


def leaks(found: dict[str, Quarters]) -> set[str]:
    return {name for name, each in found.items() if each.is_leak}


def test_agents_that_always_hold_the_same_leak_nothing() -> None:
    found = compared(lambda _: held(), lambda _: held())
    assert not leaks(found)
    assert found["tasks"].agents == 2
    assert found["tasks"].first == found["tasks"].last == 9


def test_the_streams_and_threads_of_a_moment_are_no_leak() -> None:
    found = compared(lambda at: held(descriptors=12 + 5 * (at % 3 == 0), threads=3 + (at % 3 == 1)))
    assert not leaks(found)


@pytest.mark.parametrize(("name", "first", "by"), [("descriptors", 12, 0.05), ("tasks", 9, 0.05), ("threads", 3, 0.05)])
def test_one_more_of_anything_each_now_and_then_is_a_leak(name: str, first: float, by: float) -> None:
    found = compared(*[lambda at: held(**{name: first + at // (1 / by)})] * 3)
    assert leaks(found) == {name}
    assert found[name].worst == found[name].growth > 0


def test_memory_may_settle_a_little_but_not_grow_and_grow() -> None:
    assert not leaks(compared(lambda at: held(memory_kib=40_000 + 900 * (at > 50), blocks=150_000 + 900 * (at > 50))))
    assert leaks(compared(lambda at: held(memory_kib=40_000 + 40 * at))) == {"memory_kib"}
    assert leaks(compared(lambda at: held(blocks=150_000 + 40 * at))) == {"blocks"}


def test_a_single_agent_that_leaks_is_enough() -> None:
    steady = [lambda _: held()] * 20
    found = compared(*steady, lambda at: held(descriptors=12 + at // 10))
    assert found["descriptors"].growth == 0
    assert leaks(found) == {"descriptors"}


def test_without_enough_samples_at_both_ends_nothing_is_compared() -> None:
    assert not compared(lambda _: held(), times=range(60))
    assert not compared(lambda _: held(), times=[1, 2, 98, 99])
    assert not Samples().quarters(0, 100)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc here")
def test_what_a_process_holds_is_looked_up_and_nothing_is_told_of_one_that_has_ended(tmp_path: Path) -> None:
    counts = tmp_path / "counts"
    process = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it runs, and is no copy of this process any more
        assert held_by(process.pid, counts) is None
        counts.write_text("9 150000".ljust(LINE_BYTES))
        found = held_by(process.pid, counts)
        assert found is not None
        assert (found.tasks, found.blocks) == (9, 150_000)
        assert found.threads == 1
        assert found.descriptors >= 3
        assert found.memory_kib > 1000
    finally:
        process.kill()
        process.communicate()
    assert held_by(process.pid, counts) is None


def test_tasks_and_blocks_are_counted_from_inside(tmp_path: Path) -> None:
    counts = tmp_path / "counts"

    async def counted() -> tuple[int, ...]:
        await trio.sleep(0.01)
        return tuple(map(int, counts.read_text().split()))

    async def before_and_after_two_more() -> None:
        before, blocks = await counted()
        assert blocks > 10_000
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(trio.sleep_forever)
            assert (await counted())[0] == before + 2
            nursery.cancel_scope.cancel()

    trio.run(before_and_after_two_more, instruments=[Counter(str(counts), every_s=0.0)])


def test_an_agent_that_counts_itself_is_like_any_other(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.agents.counted", str(tmp_path / "counts")]
    agent = ["agent", "--name", "a", "--bind", "127.0.0.1:0", "--events", "json", "--exit-on-eof"]
    with subprocess.Popen(
        [*command, *agent], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert '"event": "started"' in process.stdout.readline()
        process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0


# --- the command


def soak(*arguments: str) -> list[str]:
    """The command line of a soak."""
    if (reason := why_no_network()) is not None:
        pytest.skip(reason)
    return [sys.executable, "-m", "benchmarks.endurance", "soak", *arguments]


def one(results: Results, setting: str) -> Sample:
    (found,) = (sample for sample in results.samples if setting in sample.setting)
    return found


@pytest.mark.parametrize("arguments", [("--agents", "3"), ("--loss", "2"), ("--minutes", "0")])
def test_bad_usage_is_refused(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert arguments[0] in done.output


@pytest.mark.benchmark
def test_a_short_soak_violates_nothing_and_keeps_what_it_found(tmp_path: Path) -> None:
    file, log = tmp_path / "found.json", tmp_path / "log"
    command = soak("--agents", "6", "--minutes", "0.6", "--json", str(file), "--log", str(log))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was violated" in done.stdout
    results = load(file)
    assert not results.violations
    assert {"cores", "python", "commit", "load_after"} <= set(results.machine)
    general = one(results, "5% loss")
    assert general.numbers["false_deaths"] == 0
    assert general.numbers["acts"]
    assert one(results, "let go on").numbers["deeds"]
    assert log.read_text().count("SIGSTOP") == one(results, "let go on").numbers["deeds"]


@pytest.mark.benchmark
def test_an_interrupt_leaves_no_agent_and_tells_what_was_found(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = soak("--agents", "4", "--minutes", "5", "--log", str(log))
    with interruptible(command) as process:
        until(lambda: log.exists() and "SIGSTOP" in log.read_text())
        found = children_of(process.pid)
        assert len(found) >= 3
        process.send_signal(signal.SIGINT)
        told, complaints = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130, complaints
    assert "deaths told" in told
    assert complaints.endswith("interrupted; the tables show what was found until then\n")
    assert "Traceback" not in complaints
    assert not [pid for pid in found if Path(f"/proc/{pid}").exists()]


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if parent == str(pid):
            found.append(int(folder.name))
    return found


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
