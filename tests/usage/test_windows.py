"""Without what only POSIX systems have, the package is imported all the same; what cannot work says so when used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rst import ROOT

LIMIT_S = 60.0

IMPORT = """\
import importlib
for name in modules:
    importlib.import_module(name)
print(len(modules), "modules")
"""

TWO_NODES = """\
import trio, gossip

async def main():
    keyring = gossip.Keyring.of(gossip.Key.generate())
    with trio.fail_after(20):
        async with gossip.open_node("ada", bind="127.0.0.1:0", config=gossip.Config.local(), keyring=keyring) as ada:
            async with gossip.open_node("brook", bind="127.0.0.1:0", config=gossip.Config.local(), keyring=keyring,
                                        seeds=[ada.address]) as brook:
                await brook.joined()
                await ada.until(lambda node: node.alive == 2)
                print(await brook.leave())

trio.run(main)
"""


def on_windows(program: str, *, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a process that looks like Windows."""
    return subprocess.run(
        [sys.executable, "-m", "tests.usage.windows"], input=program, capture_output=True, text=True,
        timeout=LIMIT_S, check=False, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_every_module_is_imported(tmp_path: Path) -> None:
    done = on_windows(IMPORT, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    count, _ = done.stdout.split()
    assert int(count) > 100


def test_two_nodes_with_keys_of_the_program_meet(tmp_path: Path) -> None:
    done = on_windows(TWO_NODES, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "('ada',)\n"


@pytest.mark.parametrize(
    "use",
    [
        "Keyring.load('keys')",
        "Keyring.of(Key.generate()).save('keys')",
        "Keyring.of(Key.generate()).save_new('keys')",
        "SigningKey.load('keys')",
        "SigningKey.generate().save_new('keys')",
        "load_allowed('keys')",
        "change_file('keys', lambda ring: ring)",
    ],
)
def test_a_file_of_keys_is_refused_in_one_sentence_and_nothing_is_written(use: str, tmp_path: Path) -> None:
    program = (
        f"from gossip import *; from gossip.security import *\ntry: {use}\nexcept ConfigurationError as e: print(e)"
    )
    done = on_windows(program, folder=tmp_path)
    assert done.stdout.startswith("keys: this system has no owners and rights of files"), done.stderr
    assert "Keyring.parse(text)" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_demonstration_says_that_it_needs_other_signals(tmp_path: Path) -> None:
    done = on_windows("import sys; sys.argv[1:] = ['demo']; from gossip.cli import main; main()", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("gossip: the demonstration freezes and wakes agents by SIGSTOP")


def test_an_agent_runs_without_the_signal_to_reload(tmp_path: Path) -> None:
    arguments = ["agent", "--name", "ada", "--bind", "127.0.0.1:0", "--exit-on-eof"]
    done = on_windows(f"import sys; sys.argv[1:] = {arguments}; from gossip.cli import main; main()", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "started    ada at 127.0.0.1:" in done.stdout
