"""Programs that fork while a node is open: the child is told, and the parent does not notice."""

from __future__ import annotations

import os

import pytest

from tests.facade import programs

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")

PRELUDE = """
import asyncio, contextlib, multiprocessing, os, signal, socket, sys, threading, time
import gossip, gossip.aio, gossip.blocking
from gossip import Config, ForkedError, Key, Keyring

LOCAL = {"bind": "127.0.0.1:0", "config": Config.local()}
KEYS = Keyring.of(Key.generate())
signal.alarm(60)  # a child that hangs is an error

def raised(use):
    try:
        answer = use()
        if asyncio.iscoroutine(answer):
            answer.send(None)
    except BaseException as error:
        return type(error).__name__ + ": " + str(error)
    return "nothing was raised"

EXPECTED = (
    "ForkedError: node 'a' runs in the process that opened it, and this is a child that was forked from that process. "
    "Open a node in the child, after the fork: with gunicorn in post_fork, with Celery in worker_process_init"
)

def check(*uses):
    for number, use in enumerate(uses):
        assert raised(use) == EXPECTED, (number, raised(use))

READS = [
    lambda node: node.members(), lambda node: node.get("a"), lambda node: node.local, lambda node: node.address,
    lambda node: node.bound_address, lambda node: node.standing, lambda node: node.agreement, lambda node: node.alive,
    lambda node: node.health, lambda node: node.stats, lambda node: node.keyring, lambda node: node.clock_dispute,
]
CALLS = [
    lambda node: node.update({}), lambda node: node.use_keyring(KEYS), lambda node: node.explain("a"),
    lambda node: node.joined(), lambda node: node.until(lambda node: True), lambda node: node.leave(),
]

def check_node(node):
    check(*(lambda use=use: use(node) for use in READS + CALLS))

def finish(child):
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, status

def in_child(work):
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            if code:
                import traceback
                traceback.print_exc()
            sys.stderr.flush()
            os._exit(code)
    return child
"""


def run(program: str, *arguments: str) -> None:
    """Run a program that has to succeed and print nothing."""
    programs.run(PRELUDE + program, *arguments)


BLOCKING = """
with gossip.blocking.open_node("a", keyring=KEYS, **LOCAL) as node:
    with gossip.blocking.open_node("b", seeds=[node.address], keyring=KEYS, **LOCAL) as other:
        node.until(lambda node: node.alive == 2)
        changes = node.subscribe()
        next(changes)
        reading = threading.Thread(target=list, args=(other.subscribe(),))
        reading.start()

        def work():
            check_node(node)
            check(lambda: node.subscribe(), lambda: next(changes))
            changes.close()
            node.close()
            assert repr(node) == "<gossip.blocking.Node 'a' of the parent process>"

        finish(in_child(work))
        node.update({"still": "here"})
        other.until(lambda other: other.get("a").metadata == {"still": "here"})
        assert not node.stats.protocol.dropped
    node.until(lambda node: node.alive == 1)
reading.join()
"""


def test_each_use_in_the_child_of_a_blocking_program_raises_one_clear_error() -> None:
    run(BLOCKING)


ASYNCIO = """
async def main():
    async with gossip.aio.open_node("a", keyring=KEYS, **LOCAL) as node:
        async with gossip.aio.open_node("b", seeds=[node.address], keyring=KEYS, **LOCAL) as other:
            await node.until(lambda node: node.alive == 2)
            changes = node.subscribe()
            await changes.__anext__()
            address = other.local.address

            def work():
                check_node(node)
                check(lambda: node.subscribe(), lambda: changes.__anext__())
                changes.__exit__(None, None, None)

                async def in_a_loop_of_its_own():
                    for use in CALLS:
                        try:
                            await use(node)
                        except ForkedError:
                            pass
                        else:
                            raise AssertionError
                    async with gossip.aio.open_node("c", seeds=[address], keyring=KEYS, **LOCAL) as c:
                        await c.joined(timeout=20)

                asyncio.run(in_a_loop_of_its_own())

            await asyncio.get_running_loop().run_in_executor(None, finish, in_child(work))
            await node.update({"still": "here"})
            await other.until(lambda other: other.get("a").metadata == {"still": "here"})
asyncio.run(main())
"""


def test_each_use_in_the_child_of_an_asyncio_program_raises_one_clear_error() -> None:
    run(ASYNCIO)


TRIO = """
import trio

async def main():
    async with gossip.open_node("a", keyring=KEYS, **LOCAL) as node:
        changes = node.subscribe()
        changes.__enter__()

        def work():
            check_node(node)
            check(lambda: node.subscribe().__enter__())

        child = in_child(work)
        await trio.to_thread.run_sync(finish, child)
        node.update({"still": "here"})
        assert node.local.metadata == {"still": "here"}
trio.run(main)
"""


def test_each_use_in_the_child_of_a_trio_program_raises_one_clear_error() -> None:
    run(TRIO)


WITHOUT_TRIO = """
import trio

nodes = []
ready, done = threading.Event(), threading.Event()

async def main():
    async with gossip.open_node("a", keyring=KEYS, **LOCAL) as node:
        nodes.append(node)
        ready.set()
        await trio.to_thread.run_sync(done.wait)

running = threading.Thread(target=trio.run, args=(main,))
running.start()
ready.wait()
finish(in_child(lambda: check_node(nodes[0])))
done.set()
running.join()
"""


def test_a_node_of_trio_in_another_thread_raises_the_same_error_in_the_child() -> None:
    run(WITHOUT_TRIO)


BLOCKS = """
# Blocks that unwind in the child do not hang, and what it raises passes out as itself.
class Mine(Exception):
    pass

def blocking():
    try:
        with gossip.blocking.open_node("a", **LOCAL) as node, node.subscribe() as changes:
            next(changes)
            child = os.fork()
            if not child:
                raise Mine
            finish(child)
            node.update({})
    except Mine:
        os._exit(0)

async def in_asyncio():
    try:
        async with gossip.aio.open_node("a", **LOCAL) as node:
            with node.subscribe() as changes:
                await changes.__anext__()
                child = os.fork()
                if not child:
                    raise Mine
                finish(child)
                await node.update({})
    except Mine:
        os._exit(0)  # a child that closed the copy of the loop would take the selector of its parent along

def aio():
    asyncio.run(in_asyncio())

def exits():
    with gossip.blocking.open_node("a", **LOCAL) as node:
        child = os.fork()
        if not child:
            sys.exit(0)
        finish(child)
        node.update({})

def of_start():
    opening = gossip.blocking.open_node("a", **LOCAL)
    node = opening.start()
    child = os.fork()
    if not child:
        assert opening.start() is node
        opening.close()
        node.close()
        with gossip.blocking.open_node("mine", seeds=sys.argv[2:], **LOCAL) as mine:
            mine.joined(timeout=20)
        sys.exit(0)
    finish(child)
    node.update({})

{"blocking": blocking, "aio": aio, "exits": exits, "of_start": of_start}[sys.argv[1]]()
"""


@pytest.mark.parametrize("how", ["blocking", "aio", "exits", "of_start"])
def test_a_child_leaves_the_blocks_of_its_parent_without_harm(how: str) -> None:
    run(BLOCKS, how)


PORTS = """
def is_free(address):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as taken:
            if kind == socket.SOCK_STREAM:
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that is over is no listener
            try:
                taken.bind(tuple(address))
                if kind == socket.SOCK_STREAM:
                    taken.listen()
            except OSError:
                return False
    return True

reading, writing = os.pipe()
is_ready, says_ready = os.pipe()
with gossip.blocking.open_node("a", **LOCAL) as node:
    connection = socket.create_connection(tuple(node.bound_address))
    while not node.stats.streams_active:
        time.sleep(0.001)
    address = node.bound_address
    assert not is_free(address)

    def work():
        os.close(writing)
        connection.close()
        os.write(says_ready, b".")
        os.read(reading, 1)  # lives until the parent has ended

    child = in_child(work)
    os.read(is_ready, 1)
assert is_free(address), "the child holds the port"
connection.settimeout(20)
while connection.recv(1000):  # a greeting, and then the end
    pass
connection.close()
os.close(writing)
finish(child)
"""


def test_the_ports_of_the_parent_are_free_though_a_child_lives_on() -> None:
    run(PORTS)


MULTIPROCESSING = """
context = multiprocessing.get_context("fork")

def child(node, queue):
    queue.put(raised(node.members))
    with gossip.blocking.open_node("child", seeds=[sys.argv[1]], **LOCAL) as mine:
        mine.joined(timeout=20)
        queue.put(mine.alive)

with gossip.blocking.open_node("a", **LOCAL) as node:
    sys.argv[1:] = [str(node.address)]
    queue = context.Queue()
    process = context.Process(target=child, args=(node, queue))
    process.start()
    assert queue.get() == EXPECTED
    assert queue.get() == 2
    process.join()
    assert process.exitcode == 0
    node.update({})
"""


def test_a_child_of_multiprocessing_is_told_and_can_open_its_own_node() -> None:
    run(MULTIPROCESSING)


LOCKS = """
# Locks that a thread of the parent holds at the moment of the fork.
from gossip.facade import trio_thread

with gossip.blocking.open_node("a", **LOCAL) as node:
    closed, unopened, opened = (gossip.blocking.open_node(name, **LOCAL) for name in "bcd")
    closed.start()
    closed.close()
    other = opened.start()
    kept = node.subscribe()
    next(kept)

    def work():
        check(lambda: node.update({}), lambda: node.members(), lambda: next(kept), lambda: node.subscribe())
        for opening in (closed, opened):
            with opening:
                pass
            opening.close()
        kept.close()
        node.close()
        with unopened as mine:
            mine.update({})

    locks = [trio_thread._shared.lock, kept._relay._lock, node._held._lock]
    locks += [each._lock for each in (closed, unopened, opened)]
    with contextlib.ExitStack() as stack:
        for lock in locks:
            stack.enter_context(lock)
        child = in_child(work)
    finish(child)
    opened.close()
"""


def test_no_child_waits_for_a_lock_that_its_parent_holds() -> None:
    run(LOCKS)


STORM = """
# Forks in the midst of everything.
with gossip.blocking.open_node("a", **LOCAL) as node:
    is_over = threading.Event()

    def churn():
        while not is_over.is_set():
            node.update({"now": str(time.monotonic())})

    def follow():
        while not is_over.is_set():
            with node.subscribe(timeout=0.001) as changes:
                next(changes)
                next(changes)

    def start():
        while not is_over.is_set():
            with gossip.blocking.open_node("b", **LOCAL):
                pass

    kept = node.subscribe(1000)
    next(kept)
    threads = [threading.Thread(target=each) for each in (churn, follow, start)]
    for each in threads:
        each.start()

    def work():
        check(lambda: node.update({}), lambda: node.members(), lambda: next(kept), lambda: node.subscribe())
        kept.close()
        node.close()
        with gossip.blocking.open_node("mine", **LOCAL) as mine:
            mine.update({})

    for _ in range(40):
        finish(in_child(work))
    is_over.set()
    for each in threads:
        each.join()
"""


def test_forks_in_the_midst_of_everything_harm_neither_parent_nor_child() -> None:
    run(STORM)
