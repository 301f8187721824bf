"""The path of a datagram: each hop that the page names exists, and a sealed datagram takes all of them, in order."""

from __future__ import annotations

import importlib
import re
import sys
from types import FrameType

import pytest
import trio

from gossip import EventKind, Key, Keyring
from tests.node.nodes import PATIENCE_S, cluster, until_event
from tests.rst import document, lines, table

PAGE = document("docs/protocol/datagram.rst")
HOPS = [
    (f"gossip.{module}", function.strip("`")) for function, module in (lines(named) for named, _ in table(PAGE, "Hops"))
]


@pytest.mark.parametrize(("module", "function"), HOPS, ids=[function for _, function in HOPS])
def test_every_hop_is_a_function_of_that_module(module: str, function: str) -> None:
    found: object = importlib.import_module(module)
    for name in function.split("."):
        found = getattr(found, name)
    assert callable(found)
    assert getattr(found, "__module__", "") == module


def test_every_other_function_that_the_page_names_is_one_of_the_code() -> None:
    named = set(re.findall(r"``(\w+\.\w+)``", PAGE.rpartition("__anext__")[2]))
    classes = {
        "Protocol": "core.protocol",
        "Envelope": "security.envelope",
        "DatagramEndpoint": "net.datagrams",
        "Dissemination": "core.dissemination.push",
        "Conversation": "net.conversation",
        "Channel": "security.channel",
    }
    assert len(named) == 8
    for name in named:
        owner, function = name.split(".")
        module = importlib.import_module(f"gossip.{classes[owner]}")
        assert callable(getattr(getattr(module, owner), function))


async def test_a_sealed_update_takes_every_hop_in_this_order() -> None:
    called: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (module := str(frame.f_globals.get("__name__"))).startswith("gossip."):
            called.append((module, frame.f_code.co_name))

    async with cluster(2, keyring=Keyring.of(Key.generate())) as (ada, brook):
        with brook.subscribe() as changes:
            await anext(changes)
            for node in (ada, brook):  # news that comes with a copy of the view is not pushed on
                with trio.fail_after(PATIENCE_S):
                    await node.until(lambda node: node.stats.streams_active == 0)
            before = sys.getprofile()
            sys.setprofile(note)
            try:
                ada.update({"role": "db"})
                await until_event(changes, EventKind.UPDATED, "node-0")
            finally:
                sys.setprofile(before)
    left = iter(called)
    for module, function in HOPS:
        assert (module, function.rpartition(".")[2]) in left, f"{module} {function} is not called at its place"
