"""The fixtures for pytest: they are there without an import, and cost nothing where they are not used."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
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

WITHOUT_FIXTURES = """
import sys

def test_nothing_was_imported():
    assert "gossip_pytest" in sys.modules
    assert not {"gossip", "cbor2", "attrs"} & set(sys.modules)
"""


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


def test_pytest_finds_the_plugin_under_the_name_that_turns_it_off() -> None:
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["options.entry_points"]["pytest11"].split() == ["gossip", "=", "gossip_pytest"]
    assert setup["options"]["py_modules"].split() == ["gossip_pytest"]
