"""A node beside a Starlette application, under uvicorn."""

from __future__ import annotations

import inspect
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import FrameType
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import gossip
import gossip.aio
from gossip.contrib.starlette import (
    event_stream,
    get_node,
    health_routes,
    lifespan,
    membership_routes,
    node_of,
    stopping,
)
from gossip.json_forms import member_json
from tests.contrib.servers import following, serving, until_told
from tests.node.nodes import local_node, status_of, until
from tests.rst import ROOT

CONFIG = gossip.Config.local()


def application(*seeds: gossip.Address, name: str = "web") -> Starlette:
    """An application with a node and all routes."""
    cluster = lifespan(name, bind="127.0.0.1:0", seeds=seeds, config=CONFIG, insecure=True)
    return Starlette(lifespan=cluster, routes=[*health_routes(), *membership_routes()])


@asynccontextmanager
async def web_and_peer() -> AsyncIterator[tuple[httpx.AsyncClient, gossip.Node, Starlette]]:
    """An application whose node ``web`` and a node ``peer`` see each other."""
    async with local_node("peer", metadata={"rôle": "db"}) as peer:
        app = application(peer.address)
        async with serving(app) as client:
            await until(lambda: status_of(peer, "web") is gossip.Status.ALIVE)
            await until(lambda: node_of(app).standing.standing is gossip.Standing.CONNECTED)
            yield client, peer, app


async def test_members_are_shown_as_the_command_line_shows_them() -> None:
    async with web_and_peer() as (client, peer, _):
        response = await client.get("/members")
        assert response.headers["content-type"] == "application/json"
        shown = {member["name"]: member for member in response.json()}
        assert list(shown) == ["peer", "web"]
        assert shown["peer"] == member_json(peer.local)
        assert response.text.isascii()


async def test_one_member_is_shown_with_the_reasons_for_its_place() -> None:
    async with web_and_peer() as (client, peer, _):
        shown = (await client.get("/members/peer")).json()
        assert shown.pop("explanation")["node"] == "web"
        assert shown == member_json(peer.local)


async def test_a_name_may_have_any_printable_characters() -> None:
    name = "a/b c?#ü%2F"
    async with local_node(name) as peer, serving(application(peer.address)) as client:
        await until(lambda: status_of(peer, "web") is gossip.Status.ALIVE)
        response = await client.get(f"/members/{quote(name, safe='')}")
        assert response.json()["name"] == name


@pytest.mark.parametrize(
    ("path", "near", "error"),
    [
        ("peeer", ["peer"], "no member has the name 'peeer'"),
        ("zzz", [], "no member has the name 'zzz'"),
        ("", [], "no member can have this name"),
        ("x" * 129, [], "no member can have this name"),
        ("%ff%00", [], "no member can have this name"),
    ],
)
async def test_a_name_that_nobody_has_is_answered_with_the_names_that_are_near(
    path: str, near: list[str], error: str
) -> None:
    async with web_and_peer() as (client, _, _):
        response = await client.get(f"/members/{path}")
        assert (response.status_code, response.json()) == (404, {"error": error, "near": near})


async def test_a_process_is_live_without_peers_and_ready_once_it_is_connected() -> None:
    async with local_node("gone") as gone:
        nobody = gone.address
    async with serving(application(nobody)) as client:
        assert (await client.get("/livez")).json()["live"] is True
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert (response.json()["ready"], response.json()["standing"]) == (False, "joining")
        assert str(nobody) in response.json()["why"]
    async with web_and_peer() as (client, _, _):
        live, ready = await client.get("/livez"), await client.get("/readyz")
        assert (live.status_code, ready.status_code) == (200, 200)
        assert ready.json() == {"ready": True, "standing": "connected", "why": "it has found its cluster"}


async def test_a_process_whose_node_fails_says_so_and_ends_its_streams() -> None:
    class Bug(Exception):
        pass

    def fail() -> None:
        raise Bug("of the node")

    async with web_and_peer() as (client, _, app), following(client) as items:
        await anext(items)
        app.state.gossip.node._held.soon(fail)
        async for _ in items:
            pass
        live, ready = await client.get("/livez"), await client.get("/readyz")
        assert (live.status_code, live.json()["live"]) == (503, False)
        assert (ready.status_code, ready.json()["why"]) == (503, "the node is closed")


async def test_the_node_says_farewell_when_the_server_stops() -> None:
    async with local_node("peer") as peer:
        async with serving(application(peer.address)):
            await until(lambda: status_of(peer, "web") is gossip.Status.ALIVE)
        assert status_of(peer, "web") is gossip.Status.LEFT


async def test_a_stream_begins_with_a_snapshot_and_tells_every_change_after_it() -> None:
    async with web_and_peer() as (client, peer, _), following(client) as items:
        snapshot = await anext(items)
        assert snapshot.told == ("snapshot", "web")
        assert [member["name"] for member in snapshot.data["members"]] == ["peer", "web"]
        peer.update({"release": "2"})
        updated = await until_told(items, "updated", "peer")
        assert updated.data["metadata"] == {"release": "2"}
        async with local_node("third", seeds=[peer.address]):
            await until_told(items, "joined", "third")
        died = await until_told(items, "died", "third")
        assert died.data["explanation"]["node"] == "web"


async def test_a_client_that_comes_back_goes_on_after_the_item_that_it_was_told_last() -> None:
    async with web_and_peer() as (client, peer, _):
        async with following(client) as items:
            snapshot = await anext(items)
            peer.update({"release": "2"})
            second = await until_told(items, "updated", "peer")
        peer.update({"release": "3"})
        async with following(client, last_id=second.id) as items:
            third = await anext(items)
            assert (third.told, third.data["metadata"]) == (("updated", "peer"), {"release": "3"})
        async with following(client, last_id=snapshot.id) as items:
            told = [await anext(items), await anext(items)]
            assert [item.id for item in told] == [second.id, third.id]
        numbers = [int(item.id.partition("-")[2]) for item in (snapshot, second, third)]
        assert numbers == list(range(numbers[0], numbers[0] + 3))


@pytest.mark.parametrize("last_id", ["", "7", "0123456789abcdef-1", "{run}-999999", "{run}--1", "{run}-1;", "{run}-0"])
async def test_an_id_that_says_nothing_about_this_process_is_answered_with_a_snapshot(last_id: str) -> None:
    async with web_and_peer() as (client, _, _):
        run = (await client.get("/members/web")).json()["id"]
        async with following(client, last_id=last_id.format(run=run)) as items:
            assert (await anext(items)).told == ("snapshot", "web")


async def test_a_stream_without_changes_has_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_S", 0.01)
    async with web_and_peer() as (client, _, _), following(client) as items:
        while await items.line() != ": nothing has changed":
            pass


async def test_the_streams_of_a_process_have_a_limit_and_one_that_ends_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_stream, "MAX_STREAMS", 1)
    async with web_and_peer() as (client, _, app):
        async with following(client) as items:
            await anext(items)
            refused = await client.get("/events")
            assert refused.status_code == 503
            assert refused.json() == {"error": "1 clients follow the changes in this process, and that is the limit"}
        await until(lambda: app.state.gossip.streams == 0)
        async with following(client) as items:
            await anext(items)


async def test_a_request_for_the_head_of_a_stream_ends() -> None:
    async with web_and_peer() as (client, _, _):
        response = await client.head("/events")
        assert (response.status_code, response.content) == (200, b"")


async def test_the_lifespan_runs_in_one_of_the_programs_own_and_finds_the_node_there() -> None:
    names: list[str] = []
    cluster = lifespan(lambda: "web-7", bind="127.0.0.1:0", config=CONFIG)

    @asynccontextmanager
    async def whole(app: Starlette) -> AsyncIterator[None]:
        async with cluster(app):
            names.append(node_of(app).local.name)
            yield
            names.append(node_of(app).standing.standing.value)

    async def who(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{node_of(request).local.name} {(await get_node(request)).local.name}")

    async with serving(Starlette(lifespan=whole, routes=[Mount("/in", routes=[Route("/who", who)])])) as client:
        assert (await client.get("/in/who")).text == "web-7 web-7"
    assert names == ["web-7", "connected"]


async def test_an_application_that_is_mounted_in_another_one_shares_its_node() -> None:
    async def who(request: Request) -> PlainTextResponse:
        return PlainTextResponse(node_of(request).local.name)

    inner = Starlette(routes=[Route("/who", who)])
    outer = application()
    outer.mount("/inner", inner)
    inner.state = outer.state
    async with serving(outer) as client:
        assert (await client.get("/inner/who")).text == "web"


def test_an_application_without_a_node_is_told_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"lifespan=gossip\.contrib\.starlette\.lifespan\(\.\.\.\)"):
        node_of(Starlette())


def test_the_arguments_are_those_of_a_node_of_asyncio() -> None:
    ours, theirs = inspect.signature(lifespan), inspect.signature(gossip.aio.open_node)
    assert list(ours.parameters) == list(theirs.parameters)
    assert list(ours.parameters.values())[1:] == list(theirs.parameters.values())[1:]


def test_a_missing_extra_is_named() -> None:
    code = "import sys; sys.modules['starlette'] = None; import gossip.contrib, gossip.contrib.starlette"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "ImportError: gossip.contrib.starlette needs one more package: pip install" in done.stderr
    assert "'gossip-membership[starlette]'" in done.stderr


@pytest.fixture
def stops() -> Iterator[list[str]]:
    """What a server's own handler of SIGTERM has heard."""
    heard: list[str] = []

    def handle(_: int, __: FrameType | None) -> None:
        heard.append("server")

    before = signal.signal(signal.SIGTERM, handle)
    yield heard
    assert signal.getsignal(signal.SIGTERM) is handle, "it is put back"
    signal.signal(signal.SIGTERM, before)


def test_a_signal_to_stop_is_heard_beside_the_handler_of_the_server(stops: list[str]) -> None:
    with stopping.telling_of_stop_signals(lambda: stops.append("streams")):
        signal.raise_signal(signal.SIGTERM)
        assert stops == ["streams", "server"]
    signal.raise_signal(signal.SIGTERM)
    assert stops == ["streams", "server", "server"]


def test_items_have_one_line_of_data(stops: list[str]) -> None:
    member = gossip.Member(
        name="a", generation=1, id=7, address=gossip.Address("127.0.0.1", 1), metadata={"k": "\n\ndata: forged\r\n"},
        version=1, status=gossip.Status.ALIVE,
    )  # fmt: skip
    assert json.dumps(member_json(member)).splitlines() == [json.dumps(member_json(member))]
