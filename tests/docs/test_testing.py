"""The guide to tests: the tests that it shows pass."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.rst import ROOT, blocks, document

SHOWN = {block.name: block.text for block in blocks(document("docs/howto/testing.rst")) if block.name}


TRIO = ["-p", "trio"]
ASYNCIO = ["-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function"]

of_asyncio = pytest.mark.skipif(find_spec("pytest_asyncio") is None, reason="pytest-asyncio is not installed")


@pytest.mark.parametrize(
    ("name", "count", "plugin"),
    [
        ("test_unit.py", 1, []),
        pytest.param("test_unit_aio.py", 1, ASYNCIO, marks=of_asyncio),
        ("test_unit_blocking.py", 1, []),
        ("test_program.py", 2, TRIO),
        pytest.param("test_program_aio.py", 2, ASYNCIO, marks=of_asyncio),
        ("test_program_blocking.py", 2, []),
        ("test_sockets.py", 1, TRIO),
    ],
)
def test_the_tests_of_programs_pass_as_they_stand(name: str, count: int, plugin: list[str], tmp_path: Path) -> None:
    script = tmp_path / name
    script.write_text(SHOWN[name], encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, *plugin, "-p", "gossip_pytest"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", *options, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{count} passed" in done.stdout, done.stdout + done.stderr
