"""Every argument of the package, given what cannot be right: the error says which one it is, what came, what to give.

None stands for nothing only where it is an argument's default; everywhere else it is refused like any other mistake.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import inspect
import logging
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from gossip import (
    Address,
    ClockDispute,
    Config,
    ConfigurationError,
    EventKind,
    Key,
    Keyring,
    Member,
    MembershipEvent,
    MutualTLS,
    Node,
    NodeStanding,
    SigningKey,
    Snapshot,
    Standing,
    Status,
    explain_member,
    open_node,
    query_members,
)
from gossip.net.addresses import parse_address
from gossip.net.seeds import parse_seeds
from gossip.security import Security
from tests.node.nodes import local_node

KEY = Key.generate()
RING = Keyring.of(KEY)
SIGNING = SigningKey(b"\x01" * 32)
SECRET = "bXkgc2VjcmV0IGluIGJhc2U2NA=="

VALUES: dict[str, Any] = {
    "None": None,
    "bytes": b"ada",
    "a number": -5,
    "a truth": True,
    "a fraction": -0.5,
    "a text": SECRET,
    "a dict": {"cluster": "blue"},
    "a list": [3],
    "an object": object(),
    "a class": Config,
    "a method that was not called": Config.local,
    "a settings object": Config.lan(),
    "a keyring": RING,
}
TEXTS, BYTES, DICTS, RINGS = {"a text"}, {"bytes"}, {"a dict"}, {"a keyring"}
TRUTHS, NONE = {"a truth"}, {"None"}


async def opened(**arguments: Any) -> None:
    async with open_node(**{"name": "ada", "bind": "127.0.0.1:0", "identity": None} | arguments):
        pass


async def on_a_node(use: Callable[[Node], Any]) -> None:
    async with local_node("ada", keyring=RING) as node:
        use(node)


async def awaited_on_a_node(use: Callable[[Node], Awaitable[None]]) -> None:
    async with local_node("ada") as node:
        await use(node)


Use = Callable[[Any], Any]


def set_to(setting: str) -> Use:
    return lambda value: Config(**{setting: value})


ARGUMENTS: dict[str, tuple[Use, str, set[str]]] = {
    # what it is: how it is given, what the error has to name, and which of the values are all right there
    "open_node name": (lambda value: opened(name=value), "name", TEXTS),
    "open_node bind": (lambda value: opened(bind=value), "bind", set()),
    "open_node advertise": (lambda value: opened(advertise=value), "advertise", NONE),
    "open_node seeds": (lambda value: opened(seeds=value), "seeds", {"a list"}),
    "open_node seeds, one": (lambda value: opened(seeds=[value]), "seeds", set()),
    "open_node metadata": (lambda value: opened(metadata=value), "metadata", DICTS),
    "open_node metadata, a value": (lambda value: opened(metadata={"role": value}), "metadata", TEXTS),
    "open_node config": (lambda value: opened(config=value), "config", NONE | {"a settings object"}),
    "open_node keyring": (lambda value: opened(keyring=value), "keyring", NONE | RINGS),
    "open_node tls": (lambda value: opened(tls=value), "tls", NONE),
    "open_node insecure": (lambda value: opened(insecure=value), "insecure", TRUTHS),
    "open_node identity": (lambda value: opened(identity=value), "identity", NONE),
    "open_node allowed": (lambda value: opened(identity=SIGNING, allowed=value), "allowed", NONE | DICTS),
    "query_members address": (query_members, "address", set()),
    "query_members config": (lambda value: query_members("127.0.0.1:1", config=value), "config",
                             NONE | {"a settings object"}),
    "query_members timeout": (lambda value: query_members("127.0.0.1:1", timeout=value), "timeout", set()),
    "query_members keyring": (lambda value: query_members("127.0.0.1:1", keyring=value), "keyring", NONE | RINGS),
    "query_members tls": (lambda value: query_members("127.0.0.1:1", tls=value), "tls", NONE),
    "explain_member address": (lambda value: explain_member(value, "ada"), "address", set()),
    "explain_member name": (lambda value: explain_member("127.0.0.1:1", value), "name", TEXTS),
    "explain_member timeout": (lambda value: explain_member("127.0.0.1:1", "ada", timeout=value), "timeout", set()),
    "Node.explain": (lambda value: on_a_node(lambda node: node.explain(value)), "name", TEXTS),
    "Node.get": (lambda value: on_a_node(lambda node: node.get(value)), "name", TEXTS),
    "Node.subscribe": (lambda value: on_a_node(lambda node: node.subscribe(value)), "buffer", set()),
    "Node.update": (lambda value: on_a_node(lambda node: node.update(value)), "metadata", DICTS),
    "Node.joined": (lambda value: awaited_on_a_node(lambda node: node.joined(value)), "timeout", NONE),
    "Node.until": (lambda value: awaited_on_a_node(lambda node: node.until(value)), "condition",
                   {"a class", "a method that was not called"}),
    "Node.use_keyring": (lambda value: on_a_node(lambda node: node.use_keyring(value)), "keyring", RINGS),
    "Keyring": (lambda value: Keyring(value, KEY), "keys", set()),
    "Keyring in_use": (lambda value: Keyring((KEY,), value), "in_use", set()),
    "Keyring.of": (Keyring.of, "keys", set()),
    "Keyring.add": (RING.add, "keys", set()),
    "Keyring.use": (RING.use, "id", set()),
    "Keyring.drop": (RING.drop, "id", set()),
    "Keyring.parse": (Keyring.parse, "text|line 1", set()),
    "Keyring.load": (Keyring.load, f"path|{SECRET}: No such file", set()),
    "Keyring.save": (RING.save, "path", TEXTS),
    "Key": (lambda value: Key("aes-256-gcm", value), "secret", set()),
    "Key algorithm": (lambda value: Key(value, bytes(32)), "algorithm", set()),
    "Key.generate": (Key.generate, "algorithm", set()),
    "SigningKey": (SigningKey, "secret", set()),
    "SigningKey.load": (SigningKey.load, f"path|{SECRET}: No such file", set()),
    "SigningKey.save_new": (SIGNING.save_new, "path", TEXTS),
    "SigningKey.verify": (lambda value: SIGNING.verify(value, bytes(64), b""), "public", BYTES),
    "SigningKey.verify signature": (lambda value: SIGNING.verify(SIGNING.public, value, b""), "signature", BYTES),
    "SigningKey.verify statement": (lambda value: SIGNING.verify(SIGNING.public, bytes(64), value), "statement", BYTES),
    "MutualTLS": (lambda value: MutualTLS(value, value), "tls: accepting", set()),
    "Address.parse": (Address.parse, f"^address must|^'{SECRET}' is not", set()),
    "Address host": (lambda value: parse_address(Address(value, 1), "bind"), "bind: its host", TEXTS),
    "Address port": (lambda value: parse_address(Address("::1", value), "bind"), "bind", set()),
}  # fmt: skip
ARGUMENTS |= {
    f"Config {field.name}": (set_to(field.name), field.name, TEXTS if field.name == "cluster" else set())
    for field in attrs.fields(Config)
}


def kind_of(value: object) -> str:
    """What an error has to say of the value: it may show it, where that cannot be a secret, but always says this."""
    if value is None or isinstance(value, bool):
        return str(value)
    if value is Config:
        return "the class Config itself"
    return "Config.local itself" if value == Config.local else type(value).__name__


@pytest.mark.parametrize("argument", ARGUMENTS)
async def test_an_argument_that_cannot_be_right_is_named_with_what_came_and_what_to_give(argument: str) -> None:
    use, names, fine = ARGUMENTS[argument]
    for what, value in VALUES.items():
        if what in fine:
            continue
        sentence = await complaint(use, value)
        assert re.search(names, sentence), what
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            continue  # of the right type, perhaps, and then it says what else is wrong
        assert kind_of(value) in sentence, what
        assert "must be" in sentence or "must map" in sentence, what


async def complaint(use: Use, value: Any) -> str:
    try:
        used = use(value)
        if inspect.isawaitable(used):
            await used
    except ConfigurationError as error:
        return str(error)
    except ValueError as error:
        assert use == Address.parse, "whose errors are no more than that"
        return str(error)
    raise AssertionError(f"{value!r} was accepted")


@pytest.mark.parametrize(
    "use",
    [
        lambda: Security(SECRET, "blue"),  # type: ignore[arg-type]
        lambda: Key("aes-256-gcm", SECRET),  # type: ignore[arg-type]
        lambda: Key(SECRET, bytes(32)),
        lambda: Keyring.of(SECRET),  # type: ignore[arg-type]
        lambda: Keyring.load(SECRET.encode()),  # type: ignore[arg-type]
        lambda: RING.use(SECRET),
        lambda: Keyring.parse(SECRET),
        lambda: SigningKey(SECRET),  # type: ignore[arg-type]
    ],
)
def test_an_error_never_shows_what_may_be_a_secret_at_the_wrong_place(use: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        use()
    assert SECRET not in str(raised.value)


def test_a_value_that_is_long_or_cannot_be_shown_is_no_trouble_for_an_error() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    for value in (Shy(), "x" * 100_000, 10**5000):
        with pytest.raises(ConfigurationError) as raised:
            Config(probe_interval=value)  # type: ignore[arg-type]
        assert len(str(raised.value)) < 200


async def test_metadata_is_never_none_and_seeds_are_never_none_whoever_asks() -> None:
    for wrong in ({"metadata": None}, {"seeds": None}):
        with pytest.raises(ConfigurationError, match=r"must be a .* for none; this is None"):
            await opened(**wrong)
    with pytest.raises(ConfigurationError, match=r"must be a .* for none; this is None"):
        await on_a_node(lambda node: node.update(None))  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan"), float("-inf")])
async def test_a_time_to_wait_is_a_number_from_zero_on(timeout: float) -> None:
    with pytest.raises(ConfigurationError, match=r"^timeout must be a number of seconds from 0 on; this is a"):
        await awaited_on_a_node(lambda node: node.joined(timeout))


@pytest.mark.parametrize("timeout", [0, 0.0, 5, None])
async def test_a_time_to_wait_may_be_nothing_or_none(timeout: float | None) -> None:
    await awaited_on_a_node(lambda node: node.joined(timeout))


async def test_who_wants_to_wait_for_ever_says_none_and_not_infinity() -> None:
    with pytest.raises(ConfigurationError, match=r"^timeout must be a finite number of seconds, or None to wait"):
        await awaited_on_a_node(lambda node: node.joined(float("inf")))


async def test_a_condition_that_is_async_is_refused_and_not_taken_for_true() -> None:
    async def condition(node: Node) -> bool:
        return False

    with pytest.raises(ConfigurationError, match=r"^condition must be a function of the node that is not async"):
        await awaited_on_a_node(lambda node: node.until(condition))  # type: ignore[arg-type]


async def test_more_seeds_than_are_kept_are_refused_with_the_bound() -> None:
    seeds = [f"192.0.2.1:{port}" for port in range(1, 66)]
    with pytest.raises(ConfigurationError, match=r"^seeds: 65 are given, but at most 64 are allowed"):
        await opened(bind="127.0.0.1:0", seeds=seeds)
    assert len(parse_seeds([*seeds[:64], seeds[0]])) == 64


def test_the_path_of_a_file_may_be_a_path(tmp_path: Path) -> None:
    RING.save(tmp_path / "keys")
    assert Keyring.load(tmp_path / "keys") == RING
    with pytest.raises(ConfigurationError, match="no file can have this name"):
        Keyring.load("key\0s")


def test_tls_contexts_have_to_be_wrapped() -> None:
    with pytest.raises(ConfigurationError, match=r"tls must be a gossip\.MutualTLS.*this is a SSLContext"):
        Security(None, "blue", ssl.create_default_context())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "allowed", [{"ada": "key"}, {"ada": b"short"}, {5: bytes(32)}, {"": bytes(32)}, {"ada": SIGNING}]
)
async def test_a_list_of_allowed_keys_maps_names_to_public_keys(allowed: Mapping[str, bytes]) -> None:
    with pytest.raises(ConfigurationError, match="allowed"):
        await opened(identity=SIGNING, allowed=allowed)


# --- what help() says


@pytest.mark.parametrize("enumeration", [EventKind, Standing, Status])
def test_help_tells_what_each_member_means(enumeration: type[enum.Enum]) -> None:
    for each in enumeration:
        assert f"``{each.name}``: " in inspect.cleandoc(enumeration.__doc__ or "")


@pytest.mark.parametrize("kind", [MembershipEvent, NodeStanding, Member, Snapshot, ClockDispute])
def test_help_tells_what_each_field_is(kind: type) -> None:
    for field in attrs.fields(kind):
        assert f"``{field.name}``: " in inspect.cleandoc(kind.__doc__ or "")


# --- opening in another way


async def test_awaiting_open_node_says_how_it_is_entered() -> None:
    with pytest.raises(TypeError, match=r"open_node\(\.\.\.\) cannot be awaited: write 'async with open_node"):
        await open_node("ada")  # type: ignore[misc]


def test_open_node_in_a_plain_with_says_how_it_is_entered() -> None:
    with pytest.raises(TypeError, match=r"needs 'async with'.*trio\.run"), open_node("ada"):  # type: ignore[attr-defined]
        pass


async def test_open_node_is_not_iterated_over() -> None:
    with pytest.raises(TypeError, match="write 'async with open_node"):
        async for _ in open_node("ada"):  # type: ignore[attr-defined]
            pass


USES: dict[str, Callable[[], Awaitable[object]]] = {
    "open_node": opened,
    "query_members": lambda: query_members("127.0.0.1:1"),
    "explain_member": lambda: explain_member("127.0.0.1:1", "ada"),
}


@pytest.mark.parametrize("what", USES)
def test_under_asyncio_the_error_names_the_flavour_for_asyncio(what: str) -> None:
    async def main() -> None:
        await USES[what]()

    with pytest.raises(RuntimeError, match=rf"{what} needs trio, but asyncio runs this code: use gossip\.aio"):
        asyncio.run(main())


@pytest.mark.parametrize("what", USES)
def test_under_no_event_loop_the_error_says_that_trio_has_to_run_the_program(what: str) -> None:
    async def main() -> None:
        await USES[what]()

    running = main()
    with pytest.raises(RuntimeError, match=rf"{what} needs trio, but no event loop runs this code: .*trio\.run"):
        running.send(None)


async def test_a_node_that_is_used_from_another_thread_says_how_that_is_done() -> None:
    import threading  # noqa: PLC0415

    raised: list[BaseException] = []

    def elsewhere(node: Node) -> None:
        try:
            node.update({"a": "1"})
        except RuntimeError as error:
            raised.append(error)

    async with local_node("ada") as node:
        thread = threading.Thread(target=elsewhere, args=(node,))
        thread.start()
        thread.join()
    assert "node 'ada' needs trio" in str(raised[0])
    assert "trio.from_thread.run_sync" in str(raised[0])


# --- what a program that configures no logging hears


def test_without_logging_a_program_hears_nothing_on_its_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own
    for logger in ("gossip.net.seeds", "gossip.telemetry.drops", "gossip.core.anything"):
        logging.getLogger(logger).warning("nobody asked")
    assert capsys.readouterr().err == ""
    with contextlib.ExitStack() as stack:
        shown = logging.StreamHandler()
        logging.getLogger().addHandler(shown)
        stack.callback(logging.getLogger().removeHandler, shown)
        logging.getLogger("gossip.net.seeds").warning("somebody asked")
    assert "somebody asked" in capsys.readouterr().err
