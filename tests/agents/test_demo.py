"""The demonstration: it shows every step, says so where one fails, and leaves no process behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest
import trio

from gossip.cli.demo import steps
from gossip.cli.demo.cluster import Cluster
from tests.agents.helpers import GOSSIP, TEST_LIMIT_S, run_gossip

DEMO = (*GOSSIP, "demo", "--nodes", "3", "--profile", "local")


def assert_no_agent_is_left(shown: str) -> None:
    """Check that none of the processes that the demonstration named is left."""
    numbers = [int(number) for number in re.findall(r"\bnode\d+ (\d+)\b", shown)]
    assert len(numbers) >= 3
    left = [number for number in numbers if _is_running(number)]
    for number in left:
        os.kill(number, signal.SIGKILL)
    assert not left


def _is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def start_demo(*arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start it with plain output into a pipe."""
    return subprocess.Popen(
        [*DEMO, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_shows_every_step_and_measures_each() -> None:
    with start_demo() as demo:
        try:
            shown, complaints = demo.communicate(timeout=TEST_LIMIT_S)
        finally:
            demo.kill()
    assert_no_agent_is_left(shown)
    assert demo.returncode == 0, shown + complaints
    assert complaints == ""
    assert "\x1b" not in shown
    narration, _, table = shown.partition("Measured times")
    for told in ("every agent sees all 3", "SIGKILL", "accused by", "SIGSTOP", "SIGCONT", "SIGTERM"):
        assert told in narration
    for step in ("join", "update", "crash", "restart", "freeze", "recover", "leave"):
        assert step in table
    assert "every step happened" in table
    lines = narration.splitlines()
    times = [float(line[1:].partition(" s] ")[0]) for line in lines]
    assert times == sorted(times)


def test_a_signal_ends_it_and_all_its_agents() -> None:
    with start_demo() as demo:
        try:
            assert demo.stdout is not None
            shown = ""
            while "every agent sees all" not in shown:
                shown += demo.stdout.readline()
                assert demo.poll() is None
            demo.send_signal(signal.SIGTERM)
            _, complaints = demo.communicate(timeout=TEST_LIMIT_S)
        finally:
            demo.kill()
    assert_no_agent_is_left(shown)
    assert demo.returncode == 128 + signal.SIGTERM
    assert complaints == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_of_three_signals_ends_it(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    async def be_told(_: Cluster) -> None:
        signal.raise_signal(number)
        await trio.sleep_forever()

    monkeypatch.setattr(steps, "join", be_told)
    done = run_gossip("demo")
    assert done.returncode == 128 + number
    assert "no agent is left running" in done.stdout
    assert done.stderr == ""


def test_a_closed_output_ends_it_quietly_with_all_its_agents() -> None:
    read_end, write_end = os.pipe()
    with start_demo(stdout=write_end) as demo:
        try:
            os.close(write_end)
            with os.fdopen(read_end) as output:
                shown = ""
                while "processes" not in shown:
                    shown += output.readline()
                    assert demo.poll() is None
            _, complaints = demo.communicate(timeout=TEST_LIMIT_S)
        finally:
            demo.kill()
    assert_no_agent_is_left(shown)
    assert demo.returncode == 1
    assert complaints == ""
