"""The fixtures for pytest: they are there without an import, and cost nothing where they are not used."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.rst import ROOT

WITH_FIXTURES = """
import gossip
import pytest

async def test_three_nodes(gossip_cluster):
    assert [node.local.name for node in gossip_cluster] == ["n0", "n1", "n2"]
    await gossip_cluster.crash("n2")
    await gossip_cluster.until_agreed()

@pytest.mark.trio
@pytest.mark.gossip_cluster(5, metadata={"zone": "a"}, loss=0.1)
async def test_what_the_marker_says(gossip_cluster):
    assert len(gossip_cluster) == 5
    assert gossip_cluster.loss == 0.1
    async with gossip.open_node("web-1", seeds=["gossip.example.org:7946"], insecure=True) as node:
        await node.joined()

async def test_hours_pass(gossip_cluster):
    import trio
    await trio.sleep(3600)

async def test_time_is_that_of_a_clock_that_the_test_asks_for(gossip_cluster, autojump_clock):
    autojump_clock.jump(3600)
    await gossip_cluster.until_agreed()

def test_fake(fake_node):
    fake_node.member_joined("a")
    assert fake_node.alive == 2
"""

OF_ASYNCIO = """
import asyncio
import gossip
import gossip.aio
import pytest

async def program(name):
    async with gossip.aio.open_node(name, seeds=["gossip.example.org:7946"], insecure=True) as node:
        await node.joined()
        await asyncio.Event().wait()

@pytest.mark.RUNNER
async def test_three_nodes(aio_gossip_cluster):
    assert [node.local.name for node in aio_gossip_cluster] == ["n0", "n1", "n2"]
    assert isinstance(aio_gossip_cluster["n0"], gossip.aio.Node)
    before = aio_gossip_cluster.time
    await aio_gossip_cluster.sleep(60)
    assert aio_gossip_cluster.time == before + 60

@pytest.mark.RUNNER
@pytest.mark.gossip_cluster(5, metadata={"zone": "a"}, loss=0.1)
async def test_what_the_marker_says(aio_gossip_cluster):
    assert len(aio_gossip_cluster) == 5
    assert aio_gossip_cluster.loss == 0.1
    running = asyncio.create_task(program("web-1"))
    watcher = aio_gossip_cluster["n0"]
    await watcher.until(lambda node: node.get("web-1") is not None)
    await aio_gossip_cluster.crash("web-1")
    await aio_gossip_cluster.until_agreed()
    assert watcher.get("web-1").status is gossip.Status.DEAD
    await running

@pytest.mark.RUNNER
async def test_fake(aio_fake_node):
    aio_fake_node.member_joined("a")
    await aio_fake_node.until(lambda node: node.alive == 2)
"""

OF_ANYIO = (
    OF_ASYNCIO.replace("RUNNER", "anyio")
    + """
@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
)

BLOCKING = """
import gossip.blocking
import pytest

def test_three_nodes(blocking_gossip_cluster):
    assert len(blocking_gossip_cluster) == 3
    with gossip.blocking.open_node("web-1", seeds=["gossip.example.org:7946"]) as node:
        node.joined()
        blocking_gossip_cluster.until_agreed()
    blocking_gossip_cluster.sleep(60)
    assert blocking_gossip_cluster["n0"].alive == 3

@pytest.mark.gossip_cluster(["db"], seed=3)
def test_what_the_marker_says(blocking_gossip_cluster):
    assert "db" in blocking_gossip_cluster

def test_fake(blocking_fake_node):
    blocking_fake_node.member_joined("a")
    blocking_fake_node.until(lambda node: node.alive == 2, timeout=60)
"""

WITHOUT_ASYNCIO = """
def test_it(aio_gossip_cluster):
    pass

def test_fake(aio_fake_node):
    assert aio_fake_node.alive == 1
"""

WITHOUT_FIXTURES = """
import sys

def test_nothing_was_imported():
    assert "gossip_pytest" in sys.modules
    assert not {"gossip", "cbor2", "attrs"} & set(sys.modules)
"""


ASYNCIO = ["-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function"]
"""Loads pytest-asyncio, which asks for a setting."""

of_pytest_asyncio = pytest.mark.skipif(find_spec("pytest_asyncio") is None, reason="pytest-asyncio is not installed")
of_anyio = pytest.mark.skipif(find_spec("anyio") is None, reason="anyio is not installed")


def run_pytest(folder: Path, test: str, *options: str) -> str:
    """What pytest says of a test, as in the folder of a user."""
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [*command, "--strict-markers", *options, "test_it.py"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["true", "false"])
def test_fixtures_work_in_both_modes_of_pytest_trio(tmp_path: Path, mode: str) -> None:
    said = run_pytest(tmp_path, WITH_FIXTURES, "-p", "trio", "-p", "gossip_pytest", "-o", f"trio_mode={mode}")
    assert "5 passed" in said, said


def test_where_no_fixture_is_used_nothing_is_imported(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, WITHOUT_FIXTURES, "-p", "gossip_pytest")
    assert "1 passed" in said, said


def test_without_pytest_trio_the_fake_works_and_the_cluster_is_not_run_as_something_else(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, WITH_FIXTURES.replace("@pytest.mark.trio", ""), "-p", "gossip_pytest")
    assert "1 passed" in said, said


@of_pytest_asyncio
@pytest.mark.parametrize(
    "options", [[], ["-o", "asyncio_mode=auto"], ["-p", "trio"]], ids=["strict", "auto", "trio too"]
)
def test_fixtures_for_asyncio_work_with_pytest_asyncio(tmp_path: Path, options: list[str]) -> None:
    said = run_pytest(tmp_path, OF_ASYNCIO.replace("RUNNER", "asyncio"), *ASYNCIO, "-p", "gossip_pytest", *options)
    assert "3 passed" in said, said


@of_anyio
def test_fixtures_for_asyncio_work_with_the_plugin_of_anyio(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, OF_ANYIO, "-p", "anyio", "-p", "gossip_pytest")
    assert "3 passed" in said, said


@of_anyio
@of_pytest_asyncio
def test_fixtures_for_asyncio_work_where_both_plugins_are(tmp_path: Path) -> None:
    for test in (OF_ANYIO, OF_ASYNCIO.replace("RUNNER", "asyncio")):
        said = run_pytest(tmp_path, test, *ASYNCIO, "-p", "anyio", "-p", "gossip_pytest")
        assert "3 passed" in said, said


@of_pytest_asyncio
def test_where_no_fixture_is_used_nothing_is_imported_with_pytest_asyncio(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, WITHOUT_FIXTURES, *ASYNCIO, "-p", "gossip_pytest")
    assert "1 passed" in said, said


def test_without_a_plugin_for_asyncio_the_fixture_says_what_it_needs(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, WITHOUT_ASYNCIO, "-p", "gossip_pytest")
    assert "aio_gossip_cluster needs pytest-asyncio, or a test with the marker of anyio" in said, said
    assert "1 passed, 1 error" in said, said


def test_fixtures_for_blocking_programs_need_no_plugin(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, BLOCKING, "-p", "gossip_pytest")
    assert "3 passed" in said, said


def test_pytest_finds_the_plugin_under_the_name_that_turns_it_off() -> None:
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["options.entry_points"]["pytest11"].split() == ["gossip", "=", "gossip_pytest"]
    assert setup["options"]["py_modules"].split() == ["gossip_pytest"]
