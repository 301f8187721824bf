"""The guide to keys: its commands, one after the other, replace a key and make an identity."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from gossip import Keyring, SigningKey
from gossip.cli.main import run
from tests.docs.pages import commands
from tests.rst import blocks, document

COMMANDS = [command for block in blocks(document("docs/howto/keys.rst")) for command in commands(block)]

Follow = Callable[[str], None]
"""Runs the commands of the guide that begin so; NEW and OLD stand for the keys that they stand for there."""


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Follow:
    monkeypatch.chdir(tmp_path)

    def run_those(begin: str) -> None:
        shown = list(dict.fromkeys(command for command in COMMANDS if command.startswith(begin)))
        assert shown, begin
        for command in shown:
            words = shlex.split(command)[1:]
            assert run([_id(word) for word in words]) == 0, command

    return run_those


def _id(word: str) -> str:
    if word not in ("NEW", "OLD"):
        return word
    ring = Keyring.load("keys")
    others = [str(key.id) for key in ring.keys if key != ring.in_use]
    return others[0]


def test_a_key_is_replaced_in_the_three_steps(follow: Follow) -> None:
    follow("gossip keygen keys")
    first = Keyring.load("keys").in_use
    for step in ("add", "use", "drop OLD"):
        follow(f"gossip keys {step}")
    ring = Keyring.load("keys")
    assert ring.in_use != first
    assert ring.keys == (ring.in_use,)
    follow("gossip keys list")


def test_a_cluster_without_keys_gets_them_in_the_steps_shown(follow: Follow) -> None:
    follow("gossip keygen --plain-first keys")
    assert Keyring.load("keys").in_use.is_plain
    follow("gossip keys use NEW")
    follow("gossip keys drop plain")
    assert [key.is_plain for key in Keyring.load("keys").keys] == [False]


def test_an_identity_is_made_and_shown(follow: Follow, capsys: pytest.CaptureFixture[str]) -> None:
    follow("gossip identity")
    public, name = capsys.readouterr().out.splitlines()[-1].split()
    assert base64.b64decode(public) == SigningKey.load("node.key").public
    assert name == "ada"
