"""Every block of code in README.rst, CONTRIBUTING.rst and the pages runs, or is named here with the reason."""

from __future__ import annotations

import configparser
import doctest
import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from gossip.cli.main import run as run_gossip
from sims.cli.main import run as run_sims
from sims.names import answer_to_both_names
from tests.docs.pages import PAGES, commands, is_python
from tests.rst import ROOT, Block, blocks, document

RUN_ELSEWHERE = {
    "shards.py": "needs a cluster: test_tutorial.py",
    "second.py": "needs a cluster: test_tutorial.py",
    "test_unit.py": "is a test itself: test_testing.py",
    "test_unit_aio.py": "is a test itself: test_testing.py",
    "test_unit_blocking.py": "is a test itself: test_testing.py",
    "test_program.py": "is a test itself: test_testing.py",
    "test_program_aio.py": "is a test itself: test_testing.py",
    "test_program_blocking.py": "is a test itself: test_testing.py",
    **dict.fromkeys(re.findall(r":name: (\S+)", document("docs/howto/web.rst")), "needs a server: tests/contrib"),
    "test_sockets.py": "is a test itself: test_testing.py",
}
"""Blocks of Python that are not executed here, by their names, with the reason."""

PROGRAMS_WITH_ARGUMENTS = {"README.rst": "test_readme.py", "docs/simulator.rst": "test_simulator.py"}
"""Pages whose programs need arguments or a file beside them, and the test that runs all of them so."""

NOT_OURS = {
    "python3 -m venv": "makes an environment; the commands of README.rst are run by .ci/run",
    ". venv/bin/activate": "of the shell",
    ".venv/bin/python -m pip": "installs packages",
    ".venv/bin/python -m pytest": "runs these tests",
    ".venv/bin/ruff": "a check of .ci/run",
    ".venv/bin/mypy": "a check of .ci/run",
    ".venv/bin/lint-imports": "a check of .ci/run",
    "python -m sphinx": "a check of .ci/run",
    "uvicorn ": "a server of others: tests/contrib/test_recipes.py",
    "gunicorn ": "a server of others: tests/contrib/test_recipes.py",
    "celery ": "of others: tests/contrib/test_recipes.py",
}
"""How commands begin that are not looked at, with the reason."""

PYTHON = [
    pytest.param(block, id=f"{page}:{block.line}")
    for page in PAGES
    if page not in PROGRAMS_WITH_ARGUMENTS
    for block in blocks(document(page))
    if is_python(block) and block.name not in RUN_ELSEWHERE
]

COMMANDS = [
    pytest.param(page, command, id=f"{page}: {command}")
    for page in PAGES
    for block in blocks(document(page))
    for command in commands(block)
    if not command.startswith(tuple(NOT_OURS))
]


@pytest.mark.parametrize("block", PYTHON)
def test_python_runs_as_it_stands(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer_to_both_names()
    exec(compile(block.text, "block", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", [page for page in PAGES if ">>> " in document(page)])
def test_examples_with_prompts_give_what_is_shown(page: str) -> None:
    failed, tried = doctest.testfile(
        str(ROOT / page), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    assert tried > 0
    assert failed == 0


OF_OTHER_EXTRAS = {"sphinx"}
"""Modules that the extra ``test`` does not install. ``.ci/run`` runs them."""


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_command_that_is_shown_exists_with_the_options_that_are_shown(page: str, command: str) -> None:
    program, *arguments = shlex.split(command.removeprefix(".venv/bin/"))
    if program == "gossip":
        assert run_gossip([*arguments, "--help"]) == 0  # which complains of what it does not know
    elif program == "pip":
        assert _extras(command) <= _known_extras()
    elif program == "python" and arguments[:2] == ["-m", "sims"]:
        assert run_sims([*arguments[2:], "--help"]) == 0
    elif program == "python" and arguments[0] == "-m":
        assert arguments[1] in OF_OTHER_EXTRAS or importlib.util.find_spec(arguments[1]) is not None
    else:
        assert program == "python", command
        assert arguments[0] in {block.name for block in blocks(document(page))} | {"example.py"}


def _extras(command: str) -> set[str]:
    return {extra for found in re.findall(r"\[(.*?)\]", command) for extra in found.split(",")}


def _known_extras() -> set[str]:
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return set(setup["options.extras_require"])


def test_each_exception_is_needed() -> None:
    shown = [block for page in PAGES for block in blocks(document(page))]
    assert RUN_ELSEWHERE.keys() <= {block.name for block in shown}
    all_commands = [command for block in shown for command in commands(block)]
    assert [begin for begin in NOT_OURS if not any(command.startswith(begin) for command in all_commands)] == []
