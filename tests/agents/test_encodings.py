"""Names and metadata from all over the world, at a standard output that lacks their letters."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gossip import Address, Member, Status
from gossip.cli import escape_missing_letters
from gossip.cli.main import run
from gossip.cli.output import Output
from tests.agents.helpers import COMMAND_LIMIT_S, GOSSIP, assert_one_line

NAMES = ("zwölf", "数据", "Ω-node", "🙂", "naïve")
ENCODINGS = ("ascii", "latin-1", "cp1252", "koi8-r")


class Terminal:
    """Standard output and standard error in an encoding of their own, which fail at letters that it lacks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
        self._monkeypatch = monkeypatch
        self.encoding = encoding
        self.raw = io.BytesIO()
        self._streams = {
            name: io.TextIOWrapper(self.raw, encoding, write_through=True) for name in ("stdout", "stderr")
        }

    def attach(self) -> None:
        """In the test itself, because pytest puts its own streams there once the fixtures are made."""
        for name, stream in self._streams.items():
            self._monkeypatch.setattr(sys, name, stream)

    def command(self, *arguments: str) -> int:
        self.attach()
        escape_missing_letters()
        return run(arguments)

    @property
    def text(self) -> str:
        return self.raw.getvalue().decode(self.encoding)

    def shown(self, text: str) -> str:
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)


@pytest.fixture(params=ENCODINGS)
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(monkeypatch, request.param)


async def _everybody(*_: object, **__: object) -> tuple[Member, ...]:
    address = Address("127.0.0.1", 1)
    return tuple(Member(name, 1, 7, address, {"wo": name}, 1, Status.ALIVE) for name in NAMES)


def test_members_are_listed_in_any_encoding(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["gossip.cli.members"], "query_members", _everybody)
    assert terminal.command("members", "--join", "127.0.0.1:1") == 0
    for name in NAMES:
        assert f"wo={terminal.shown(name)}" in terminal.text
    assert terminal.command("members", "--join", "127.0.0.1:1", "--json") == 0
    listed = json.loads(terminal.text[terminal.text.index("[\n") :])
    assert tuple(sorted(member["name"] for member in listed)) == tuple(sorted(NAMES))


async def test_an_agent_writes_in_the_encoding_of_its_output(terminal: Terminal, tmp_path: Path) -> None:
    terminal.attach()
    with (tmp_path / "out").open("wb") as file:
        await Output(file.fileno()).write("joined zwölf 数据")
    written = (tmp_path / "out").read_bytes().decode(terminal.encoding)
    assert written == f"joined {terminal.shown('zwölf 数据')}\n"


def test_files_of_any_name_are_made_and_shown_in_any_encoding(terminal: Terminal, tmp_path: Path) -> None:
    for name in NAMES:
        ring, key = str(tmp_path / f"{name}.keys"), str(tmp_path / f"{name}.key")
        for arguments in (
            ("keygen", ring),
            ("keys", "add", "--keyring", ring),
            ("keys", "list", "--keyring", ring),
            ("identity", "new", key),
            ("identity", "show", key),
        ):
            assert terminal.command(*arguments) == 0, terminal.text
        assert terminal.shown(f"{name}.keys has the new key") in terminal.text.replace("\n", " ")
        for wrong in (("keygen", ring), ("keys", "list", "--keyring", key), ("members", "--join", name)):
            assert terminal.command(*wrong) == 2
    assert "Traceback" not in terminal.text


def test_a_line_for_a_list_of_allowed_keys_is_utf_8_whatever_the_terminal_is(
    terminal: Terminal, tmp_path: Path
) -> None:
    assert terminal.command("identity", "new", str(tmp_path / "key")) == 0
    before = len(terminal.raw.getvalue())
    assert terminal.command("identity", "show", str(tmp_path / "key"), "--name", "数据") == 0
    assert terminal.raw.getvalue()[before:].decode().split()[1] == "数据"


def test_a_name_that_no_member_may_have_makes_no_second_line_of_allowed_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["identity", "new", str(tmp_path / "key")]) == 0
    capsys.readouterr()
    assert run(["identity", "show", str(tmp_path / "key"), "--name", "ada\nAAAA mallory"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "--name" in assert_one_line(said.err)


def test_a_locale_without_letters_is_no_trouble(tmp_path: Path) -> None:
    """The one of these with a process: what the interpreter makes of such a locale before anything of ours runs."""
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [*GOSSIP, "keygen", "schlüssel"], cwd=tmp_path, env=os.environ | locale, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=COMMAND_LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert (tmp_path / "schlüssel").exists()
