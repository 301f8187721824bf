"""How a program may end that has a node open: quietly, at once, and so that the others see the node go."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

import pytest

import gossip.blocking
from gossip import Status
from tests.facade import programs
from tests.facade.flavours import LOCAL, PATIENCE_S, trio_threads, wait_until
from tests.rst import ROOT

PRELUDE = """
import asyncio, atexit, os, sys, threading, time
import gossip.aio, gossip.blocking
from gossip import Config

LOCAL = {"bind": "127.0.0.1:0", "config": Config.local(), "seeds": sys.argv[1:]}
"""

ENDS = {
    "the end of the program": "node = gossip.blocking.open_node('mine', **LOCAL).start(); node.joined()",
    "sys.exit": "node = gossip.blocking.open_node('mine', **LOCAL).start(); node.joined(); sys.exit()",
    "sys.exit in the block": """
with gossip.blocking.open_node('mine', **LOCAL) as node:
    node.joined()
    sys.exit()
""",
    "a subscription is open": """
node = gossip.blocking.open_node('mine', **LOCAL).start()
changes = node.subscribe()
next(changes)
node.joined()
""",
    "a daemon thread reads": """
node = gossip.blocking.open_node('mine', **LOCAL).start()
threading.Thread(target=lambda: [item for item in node.subscribe()], daemon=True).start()
node.joined()
""",
    "a thread reads until the node is closed": """
node = gossip.blocking.open_node('mine', **LOCAL).start()
threading.Thread(target=lambda: (node.joined(), node.leave())).start()
""",
    "atexit of the program uses the node": """
opening = gossip.blocking.open_node('mine', **LOCAL)
node = opening.start()
node.joined()
atexit.register(lambda: (node.leave(), opening.close()))
""",
    "many nodes": """
nodes = [gossip.blocking.open_node(name, **LOCAL).start() for name in ("mine", "more")]
for node in nodes:
    node.joined()
""",
    "a loop that is closed before its node": """
loop = asyncio.new_event_loop()
block = gossip.aio.open_node('mine', **LOCAL)
node = loop.run_until_complete(block.__aenter__())
loop.run_until_complete(node.joined())
loop.close()
""",
    "a loop that is not even closed": """
import warnings
warnings.simplefilter("ignore", ResourceWarning)  # of the loop
loop = asyncio.new_event_loop()
block = gossip.aio.open_node('mine', **LOCAL)
node = loop.run_until_complete(block.__aenter__())
loop.run_until_complete(node.joined())
""",
}
"""Programs that end while they are members."""


@pytest.mark.parametrize("program", ENDS.values(), ids=ENDS)
def test_a_program_ends_quietly_with_an_open_node(program: str) -> None:
    def has_come_and_gone(node: gossip.blocking.Node) -> bool:
        mine = node.get("mine")
        return mine is not None and not mine.status.is_living

    with gossip.blocking.open_node("a", **LOCAL) as node, gossip.blocking.open_node("b", seeds=[node.address], **LOCAL):
        node.until(lambda node: node.alive == 2, timeout=PATIENCE_S)
        programs.run(PRELUDE + program, str(node.address))
        node.until(has_come_and_gone, timeout=PATIENCE_S)


INTERRUPTED = {
    "until": "node.until(lambda node: False)",
    "until for a time": "node.until(lambda node: False, timeout=50)",
    "joined": "node.joined()",
    "a reader": "list(node.subscribe())",
    "a reader with a timeout": "list(node.subscribe(timeout=50))",
    "the block": "time.sleep(50)",
}
"""What a program waits for when somebody types Ctrl-C."""

WAITING = """
with gossip.blocking.open_node("mine", bind="127.0.0.1:0", config=Config.local(), seeds=["127.0.0.1:1"]) as node:
    try:
        print("waits", flush=True)
        {wait}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        node.update({{"still": "here"}})
assert not [thread for thread in threading.enumerate() if thread.name == "gossip"]
print("closed", flush=True)
"""

WAITING_LOOP = """
async def main():
    async with gossip.aio.open_node("mine", bind="127.0.0.1:0", config=Config.local(), seeds=["127.0.0.1:1"]) as node:
        print("waits", flush=True)
        await node.joined()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
assert not [thread for thread in threading.enumerate() if thread.name == "gossip"]
print("closed", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize(
    "program",
    [*(WAITING.format(wait=wait) for wait in INTERRUPTED.values()), WAITING_LOOP],
    ids=[*INTERRUPTED, "asyncio"],
)
def test_an_interrupt_ends_each_wait(program: str) -> None:
    with subprocess.Popen(
        programs.command(PRELUDE + program), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "interrupted\nclosed\n"
        assert not process.stderr.read()


INTERRUPTED_OPENING = """
import signal, trio
from gossip.node import opening

async def never(*_):
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    await trio.sleep_forever()

now = opening.advertised_address
opening.advertised_address = never
node = gossip.blocking.open_node("a", **LOCAL)
try:
    node.start()
except KeyboardInterrupt:
    print("interrupted", flush=True)
node.close()
assert not [thread for thread in threading.enumerate() if thread.name == "gossip"]
opening.advertised_address = now
with node as again:
    again.update({})
print("closed", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_an_interrupted_opening_leaves_nothing_and_can_be_tried_again() -> None:
    programs.run(PRELUDE + INTERRUPTED_OPENING, prints="interrupted\nclosed\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_thread_whose_start_is_interrupted_ends_and_another_one_takes_its_place(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        if error is KeyboardInterrupt:
            start_thread(thread)
        raise error("can't start new thread")

    start_thread = threading.Thread.start
    opening = gossip.blocking.open_node("a", **LOCAL)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(error):
            opening.start()
    wait_until(lambda: not trio_threads())
    with opening as node:
        node.update({})
    assert not trio_threads()


def test_a_node_that_is_closed_says_no_farewell() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as a:
        with gossip.blocking.open_node("b", seeds=[a.address], **LOCAL) as b:
            a.until(lambda node: node.alive == 2, timeout=PATIENCE_S)
        a.until(lambda node: node.alive == 1, timeout=PATIENCE_S)
        gone = a.get("b")
        assert gone is not None
        assert gone.status is Status.DEAD
        assert b.alive == 2


def test_a_node_that_has_left_is_seen_to_have_left() -> None:
    with gossip.blocking.open_node("a", **LOCAL) as a:
        with gossip.blocking.open_node("b", seeds=[a.address], **LOCAL) as b:
            a.until(lambda node: node.alive == 2, timeout=PATIENCE_S)
            assert b.leave() == ("a",)
        gone = a.get("b")
        assert gone is not None
        assert gone.status is Status.LEFT
