"""Each flavour refuses the same things, with the same errors and in the same words, in the thread of its caller."""

from __future__ import annotations

import math
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import gossip
from gossip import Key, Keyring, Status
from tests.facade.flavours import AIO, BLOCKING, FLAVOURS, LOCAL, TRIO, Flavour, next_item, outcome

BAD_ARGUMENTS: dict[str, dict[str, Any]] = {
    "name": {"name": "two\nlines"},
    "no name": {"name": 5},
    "bind": {"bind": "nowhere"},
    "bind of another machine": {"bind": "192.0.2.1:0", "insecure": True},
    "open to others": {"bind": "0.0.0.0:0"},
    "advertise": {"advertise": "127.0.0.1"},
    "advertise that nobody knows": {"advertise": "nobody.invalid:7946"},
    "seeds": {"seeds": "127.0.0.1:7946"},
    "seed of another machine": {"seeds": ["192.0.2.1:7946"]},
    "metadata": {"metadata": {"role": 5}},
    "large metadata": {"metadata": {"role": "x" * 2000}},
    "config": {"config": "local"},
    "keyring": {"keyring": "secret"},
    "tls": {"tls": "secret"},
    "insecure": {"insecure": "yes"},
    "identity": {"identity": "secret"},
    "allowed alone": {"allowed": {"a": b"x" * 32}},
}
"""What ``open_node`` refuses."""

Use = Callable[[Flavour, Any], Awaitable[object]]


async def _wait_for_true(flavour: Flavour, node: Any) -> None:
    async def condition(node: Any) -> bool:
        return True

    await outcome(node.until(condition))


async def _read_twice(flavour: Flavour, node: Any) -> None:
    changes = node.subscribe()
    with changes:
        await next_item(changes)
    changes.__enter__()


BAD_USES: dict[str, Use] = {
    "update": lambda _, node: outcome(node.update({"role": 5})),
    "update with no mapping": lambda _, node: outcome(node.update("role")),
    "large update": lambda _, node: outcome(node.update({"role": "x" * 2000})),
    "explain": lambda _, node: outcome(node.explain(5)),
    "joined": lambda _, node: outcome(node.joined(timeout=-1)),
    "joined for True": lambda _, node: outcome(node.joined(timeout=True)),
    "joined for ever": lambda _, node: outcome(node.joined(timeout=math.inf)),
    "joined in no time": lambda _, node: outcome(node.joined(timeout=0)),
    "until": lambda _, node: outcome(node.until("soon")),
    "until something async": _wait_for_true,
    "keys without keys": lambda _, node: outcome(node.use_keyring(Keyring.of(Key.generate()))),
    "keys of another type": lambda _, node: outcome(node.use_keyring("secret")),
}
"""What an open node refuses, and what it cannot do."""


async def _raise(question: Callable[[], object]) -> None:
    question()


BAD_QUESTIONS: dict[str, Use] = {
    "get": lambda _, node: _raise(lambda: node.get(5)),
    "buffer": lambda _, node: _raise(lambda: node.subscribe(buffer=0)),
    "buffer of another type": lambda _, node: _raise(lambda: node.subscribe(buffer=True)),
}
"""What is refused without waiting."""

USES_WHEN_CLOSED: dict[str, Use] = {
    "update": lambda _, node: outcome(node.update({})),
    "use_keyring": lambda _, node: outcome(node.use_keyring(Keyring.of(Key.generate()))),
    "joined": lambda _, node: outcome(node.joined()),
    "until": lambda _, node: outcome(node.until(lambda node: True)),
    "leave": lambda _, node: outcome(node.leave()),
}
"""What a closed node refuses."""

BAD_QUERIES: dict[str, Use] = {
    "query_members": lambda flavour, _: outcome(flavour.module.query_members("nowhere")),
    "query_members in no time": lambda flavour, _: outcome(flavour.module.query_members("127.0.0.1:1", timeout=0)),
    "query_members of nobody": lambda flavour, node: outcome(flavour.module.query_members("127.0.0.1:1")),
    "explain_member": lambda flavour, _: outcome(flavour.module.explain_member("127.0.0.1:1", "")),
    "explain_member of nobody": lambda flavour, _: outcome(flavour.module.explain_member("127.0.0.1:1", "a")),
    "query_members with a config": lambda flavour, _: outcome(
        flavour.module.query_members("127.0.0.1:1", config="local")
    ),
}
"""What cannot be asked."""


def error_of(flavour: Flavour, use: Use, **arguments: Any) -> Exception:
    """What a use of an open node raises."""

    async def main() -> Exception:
        async with flavour.open_node("a", **arguments) as node:
            with pytest.raises(Exception) as raised:  # noqa: PT011 - compared by the caller
                await use(flavour, node)
            return raised.value

    error = flavour.run(main)
    assert isinstance(error, Exception)
    return error


def error_of_opening(flavour: Flavour, name: Any = "a", **arguments: Any) -> Exception:
    """What the opening of a node raises."""

    async def main() -> None:
        async with flavour.open_node(name, **arguments):
            raise AssertionError("it was opened")

    with pytest.raises(Exception) as raised:  # noqa: PT011 - compared by the caller
        flavour.run(main)
    return raised.value


def assert_same(error: Exception, expected: Exception) -> None:
    ports = re.compile(r":\d+")  # a free port is another one each time
    assert (type(error), ports.sub("", str(error))) == (type(expected), ports.sub("", str(expected)))


@pytest.mark.parametrize("flavour", [AIO, BLOCKING], ids=str)
@pytest.mark.parametrize("arguments", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_a_malformed_argument_gets_the_error_of_trio(arguments: dict[str, Any], flavour: Flavour) -> None:
    expected = error_of_opening(TRIO, **arguments)
    assert_same(error_of_opening(flavour, **arguments), expected)
    assert isinstance(expected, gossip.GossipError)


@pytest.mark.parametrize("flavour", [AIO, BLOCKING], ids=str)
def test_an_address_that_is_taken_gets_the_error_of_trio(flavour: Flavour) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        expected = error_of_opening(TRIO, bind=bind)
        assert_same(error_of_opening(flavour, bind=bind), expected)
    assert isinstance(expected, gossip.BindError)


@pytest.mark.parametrize("flavour", [AIO, BLOCKING], ids=str)
@pytest.mark.parametrize("use", [*BAD_USES.values(), *BAD_QUESTIONS.values()], ids=[*BAD_USES, *BAD_QUESTIONS])
def test_a_wrong_use_gets_the_error_of_trio(use: Use, flavour: Flavour) -> None:
    arguments = {"seeds": ["127.0.0.1:1"]}
    assert_same(error_of(flavour, use, **arguments), error_of(TRIO, use, **arguments))


@pytest.mark.parametrize("flavour", [AIO, BLOCKING], ids=str)
@pytest.mark.parametrize("use", BAD_QUERIES.values(), ids=BAD_QUERIES)
def test_a_question_without_an_answer_gets_the_error_of_trio(use: Use, flavour: Flavour) -> None:
    assert_same(error_of(flavour, use), error_of(TRIO, use))


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
@pytest.mark.parametrize("isolation", [None, "thrad", True])
def test_a_wrong_isolation_is_refused_before_anything_is_opened(isolation: object, flavour: Flavour) -> None:
    if flavour is TRIO:
        with pytest.raises(TypeError, match="isolation"):
            gossip.open_node("a", isolation=isolation)  # type: ignore[call-arg]
    else:
        with pytest.raises(gossip.ConfigurationError, match="isolation must be 'thread' or 'process'"):
            flavour.module.open_node("a", isolation=isolation)


@pytest.mark.parametrize("flavour", [AIO, BLOCKING], ids=str)
@pytest.mark.parametrize("use", USES_WHEN_CLOSED.values(), ids=USES_WHEN_CLOSED)
def test_a_closed_node_says_so_and_why(use: Use, flavour: Flavour) -> None:
    async def main() -> Exception:
        async with flavour.open_node("a") as node:
            pass
        with pytest.raises(gossip.ClosedError) as raised:
            await use(flavour, node)
        return raised.value

    why = "its async with block has ended"
    if flavour.module is gossip.blocking:
        why = "close() was called, or its with block has ended"
    assert str(flavour.run(main)) == f"node 'a' is closed: {why}"


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
def test_a_node_that_has_left_says_so(flavour: Flavour) -> None:
    async def main() -> list[str]:
        texts = []
        async with flavour.open_node("a") as node:
            assert await outcome(node.leave()) == ()
            assert await outcome(node.leave()) == ()
            for use in (node.update, node.joined):
                with pytest.raises(gossip.LeftError) as raised:
                    await outcome(use({}) if use == node.update else use())
                texts.append(str(raised.value))
            assert node.local.status is Status.LEFT
        return texts

    assert flavour.run(main) == [
        "this node has left its cluster; open a new one to join again",
        "node 'a' has left its cluster; open a new one to join again",
    ]


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
def test_what_a_condition_raises_passes_out(flavour: Flavour) -> None:
    def fail(node: Any) -> bool:
        raise ZeroDivisionError("mine")

    error = error_of(flavour, lambda _, node: outcome(node.until(fail)))
    assert_same(error, ZeroDivisionError("mine"))


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
def test_a_subscription_is_entered_once(flavour: Flavour) -> None:
    if flavour.module is gossip.blocking:
        pytest.skip("a blocking subscription needs no block")
    error = error_of(flavour, _read_twice)
    assert_same(error, RuntimeError("a subscription can be entered only once; call subscribe() again"))


@pytest.mark.parametrize("flavour", FLAVOURS, ids=str)
def test_a_closed_node_still_gives_its_last_state(flavour: Flavour) -> None:
    async def main() -> None:
        async with flavour.open_node("a", metadata={"role": "db"}) as node:
            before = node.members()
        assert node.members() == before == (node.local,)
        assert node.get("a") == node.local
        assert node.get("b") is None
        assert node.alive == 1
        assert node.health == 0
        assert node.agreement is None
        assert node.clock_dispute is None
        assert node.keyring is None
        assert node.standing.standing.value == "connected"
        assert node.stats.protocol is not None
        assert node.address == node.bound_address
        assert "'a' at 127.0.0.1:" in repr(node)

    flavour.run(main)


@pytest.mark.parametrize("timeout", [-1, True, "1", math.nan])
def test_times_that_only_the_blocking_flavour_takes_are_checked(timeout: Any) -> None:
    with BLOCKING.module.open_node("a", **LOCAL) as node:
        uses: list[Callable[[], object]] = [
            lambda: node.subscribe(timeout=timeout),
            lambda: node.until(lambda node: True, timeout),
        ]
        for use in uses:
            with pytest.raises(gossip.ConfigurationError, match="timeout must be a number of seconds from 0 on"):
                use()
