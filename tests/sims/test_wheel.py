"""What people install: the wheel, built from this checkout and used in an empty directory, beside its dependencies."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path
from venv import EnvBuilder

import pytest

from sims.scenarios import SCENARIOS
from tests.rst import ROOT, document, literal_blocks
from tests.sims.commands import Done

COMMAND_LIMIT_S = 60.0

SOURCES = ("gossip", "gossip_pytest.py", "sims", "LICENSE", "README.rst", "pyproject.toml", "setup.cfg")

BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"

Installed = Callable[..., Done]
"""A command of the environment in which the wheel is installed, run in an empty directory."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for each in SOURCES:
        if (ROOT / each).is_dir():
            shutil.copytree(ROOT / each, source / each, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / each, source)
    _ran([sys.executable, "-c", BUILD, str(target)], source)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with this wheel and nothing of the checkout; its dependencies are those of the tests."""
    environment = tmp_path_factory.mktemp("environment")
    EnvBuilder(with_pip=False).create(environment)
    python = environment / "bin" / "python"
    _ran([sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install", "--no-index", "--no-deps",
          "--no-compile", str(wheel)], environment)  # fmt: skip
    (packages,) = environment.glob("lib/python*/site-packages")
    # As a path only, so that links to the checkout that were installed beside them are not followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return environment


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Installed:
    """Run a command of that environment."""

    def run(command: str, *arguments: str | Path) -> Done:
        return _run([str(environment / "bin" / command), *map(str, arguments)], tmp_path)

    return run


def test_the_wheel_holds_the_simulator_under_a_name_that_can_only_be_ours(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    found = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert found == {"gossip", "gossip_sims", "gossip_pytest.py"}
    assert {"gossip/py.typed", "gossip_sims/py.typed"} <= set(names), "so that type checkers look at the types"
    held = {f"sims/{name.partition('/')[2]}" for name in names if name.startswith("gossip_sims/")}
    assert held == _files_of("sims")
    assert {name for name in names if name.startswith("gossip/")} == _files_of("gossip")


def test_every_package_of_the_checkout_is_named_in_the_metadata() -> None:
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    found = {
        ".".join(path.parent.relative_to(ROOT).parts).replace("sims", "gossip_sims", 1)
        for folder in ("gossip", "sims")
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(metadata["options"]["packages"].split()) == found


def test_no_module_of_the_simulator_names_its_own_package_which_has_another_name_where_it_is_installed() -> None:
    modules = [path.read_text(encoding="utf-8").splitlines() for path in (ROOT / "sims").rglob("*.py")]
    assert not [line for lines in modules for line in lines if line.strip().startswith(("from sims", "import sims"))]


def test_where_it_is_installed_the_simulator_is_found_in_the_environment_and_no_package_called_sims(
    installed: Installed, environment: Path
) -> None:
    where = "import gossip_sims, importlib.util as util; print(gossip_sims.__file__, util.find_spec('sims'))"
    done = installed("python", "-c", where)
    assert done.stdout.startswith(str(environment)), done
    assert done.stdout.endswith(" None\n")


def test_the_installed_command_lists_the_scenarios_and_calls_itself_by_the_name_it_was_called(
    installed: Installed,
) -> None:
    done = installed("gossip", "sim", "list")
    assert done.code == 0, done
    assert all(f"\n{name} " in done.stdout for name in SCENARIOS)
    assert "gossip sim run crash --set victims=half" in done.stdout
    for arguments in (("--help",), ("run", "--help")):
        told = installed("gossip", "sim", *arguments)
        assert "\n    gossip sim run crash --nodes 64" in told.stdout
        assert "python -m" not in told.stdout


def test_the_installed_command_runs_a_scenario_and_writes_its_report(installed: Installed, tmp_path: Path) -> None:
    done = installed("gossip", "sim", "run", "split-heal", "--nodes", "10", "--html", "report.html")
    assert done.code == 0, done
    assert "all invariants held" in done.stdout
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "All invariants held." in page


def test_the_installed_command_runs_the_plan_of_the_guide_from_a_file_beside_it(
    installed: Installed, tmp_path: Path
) -> None:
    guide = literal_blocks(document("docs/simulator.rst"))
    (plan,) = [block for block in guide if '"edge": ["gateway", "backup"]' in block]
    (tmp_path / "my_plan.py").write_text(plan, encoding="utf-8")
    done = installed("gossip", "sim", "run", "my_plan.py", "--duration", "45")
    assert done.code == 0, done
    assert "rack-a (8 members) crashed" in " ".join(done.stdout.split())


def test_the_installed_command_makes_runs_in_processes_of_their_own(installed: Installed) -> None:
    swept = installed("gossip", "sim", "sweep", "update", "--nodes", "4", "--seeds", "0..1", "--jobs", "1",
                      "--json", "-")  # fmt: skip
    assert json.loads(swept.stdout)["runs"] == 2, swept
    again = installed("gossip", "sim", "replay", "update", "--nodes", "4", "--seed", "1")
    assert again.stdout.startswith("The same run: "), again


def test_a_mistake_in_the_installed_command_is_told_in_one_line_under_its_name(installed: Installed) -> None:
    done = installed("gossip", "sim", "run", "moon")
    assert done.code == 2
    assert done.complaint.startswith("gossip sim: there is no scenario 'moon'")


def test_without_the_extra_the_installed_command_says_what_to_install(installed: Installed) -> None:
    lacking = "import sys; sys.modules['cattrs'] = None; sys.argv[1:] = ['sim', 'list']; from gossip.cli import main"
    done = installed("python", "-c", f"{lacking}; main()")
    assert done.code == 2
    assert done.complaint == (
        "gossip sim: simulations need packages that are not installed: pip install 'gossip-membership[sims]'"
    )  # fmt: skip


def _files_of(folder: str) -> set[str]:
    """The files of a package that are to be installed."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _run(command: list[str], folder: Path) -> Done:
    """Run a command in a folder, without what leads Python to the checkout."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=folder, env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=COMMAND_LIMIT_S, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def _ran(command: list[str], folder: Path) -> None:
    done = _run(command, folder)
    assert done.code == 0, done.stdout + done.stderr
