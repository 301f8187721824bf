"""The journal and its streams, without node and sockets: what each reader gets, and what a client may cost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import Message

from gossip import Address, EventKind, Member, MembershipEvent, NodeStanding, Snapshot, Standing, Status
from gossip.contrib.starlette import event_stream, health_routes, journal, routes
from gossip.contrib.starlette.journal import NOTHING_READ, Journal
from gossip.contrib.starlette.lifespan import Running

CONNECTED = NodeStanding(Standing.CONNECTED, 0.0, "it has found its cluster")
Item = Snapshot | MembershipEvent


def member(name: str, *, generation: int = 1, status: Status = Status.ALIVE, version: int = 1) -> Member:
    return Member(
        name=name, generation=generation, id=hash((name, generation)) % 2**63, address=Address("127.0.0.1", 1),
        metadata={"version": str(version)}, version=version, status=status,
    )  # fmt: skip


def event(kind: EventKind, about: Member) -> MembershipEvent:
    return MembershipEvent(kind, about, 1, 0.0)


def updates(count: int, *, begin: int = 2) -> list[Item]:
    return [event(EventKind.UPDATED, member("b", version=begin + number)) for number in range(count)]


FIRST = Snapshot((member("a"), member("b")), CONNECTED)


class StubNode:
    """A node that tells what a test gives it."""

    def __init__(self, items: Sequence[Item | None] = (), explain: Callable[[], Awaitable[None]] | None = None) -> None:
        self.local = member("a")
        self.bound_address = Address("127.0.0.1", 1)
        self.standing = CONNECTED
        self.told: asyncio.Queue[Item | None] = asyncio.Queue()
        self.add(*items)
        self._explain = explain

    def add(self, *items: Item | None) -> None:
        for item in items:
            self.told.put_nowait(item)

    def subscribe(self) -> StubNode:
        return self

    def __enter__(self) -> StubNode:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __aiter__(self) -> StubNode:
        return self

    async def __anext__(self) -> Item:
        item = await self.told.get()
        if item is None:
            raise StopAsyncIteration
        return item

    async def explain(self, name: str) -> None:
        assert name == "a"
        assert self._explain is not None
        await self._explain()


def journal_of(node: StubNode) -> Journal:
    return Journal(node)  # type: ignore[arg-type]


async def followed(items: Sequence[Item]) -> Journal:
    """A journal that has taken these items, and none will follow."""
    node = StubNode(items)
    node.add(None)
    kept = journal_of(node)
    await kept.follow()
    return kept


def items_in(text: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Numbers and data of the items in a piece of a stream."""
    found = []
    for item in text.decode("ascii").split("\n\n")[:-1]:
        head, data = item.split("\n")
        found.append((int(head.rpartition("-")[2]), json.loads(data.removeprefix("data: "))))
    return found


async def everything_after(kept: Journal, place: int) -> list[tuple[int, dict[str, Any]]]:
    found = []
    while (read := await kept.read_after(place)) is not None:
        assert read[0] > place
        place = read[0]
        found += items_in(read[1])
    return found


def kinds(items: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, str]]:
    return [(number, data["event"]) for number, data in items]


def test_a_reader_that_knows_nothing_gets_a_snapshot_of_what_holds_now() -> None:
    async def read() -> None:
        kept = await followed([FIRST, *updates(3)])
        ((number, told),) = await everything_after(kept, NOTHING_READ)
        assert (number, told["event"]) == (4, "snapshot")
        assert [each["metadata"] for each in told["members"]] == [{"version": "1"}, {"version": "4"}]

    asyncio.run(read())


def test_a_reader_that_comes_back_gets_what_it_lacks_as_long_as_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        one = len((await everything_in_bytes([FIRST, *updates(1)]))[1])
        monkeypatch.setattr(journal, "KEPT_BYTES", 3 * one + 10)
        kept = await followed([FIRST, *updates(5)])
        assert kinds(await everything_after(kept, 3)) == [(4, "updated"), (5, "updated"), (6, "updated")]
        assert kinds(await everything_after(kept, 5)) == [(6, "updated")]
        assert kinds(await everything_after(kept, 6)) == []
        assert kinds(await everything_after(kept, 2)) == [(6, "snapshot")], "the third is no longer kept"

    asyncio.run(read())


async def everything_in_bytes(items: Sequence[Item]) -> tuple[int, bytes]:
    read = await (await followed(items)).read_after(1)
    assert read is not None
    return read


def test_an_event_that_is_larger_than_all_that_is_kept_is_replaced_by_a_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def read() -> None:
        monkeypatch.setattr(journal, "KEPT_BYTES", 10)
        kept = await followed([FIRST, *updates(1)])
        assert kinds(await everything_after(kept, 1)) == [(2, "snapshot")]

    asyncio.run(read())


def test_a_journal_that_fell_behind_itself_tells_so_to_every_reader() -> None:
    async def read() -> None:
        later = Snapshot((member("a"),), CONNECTED, missed=300)
        kept = await followed([FIRST, *updates(2), later, event(EventKind.JOINED, member("c"))])
        for place in (NOTHING_READ, 1, 3):
            ((number, told),) = await everything_after(kept, place)
            assert (number, [each["name"] for each in told["members"]]) == (5, ["a", "c"])
        assert kinds(await everything_after(kept, 4)) == [(5, "joined")]

    asyncio.run(read())


def test_a_reader_that_waits_is_woken_by_the_next_item_and_by_the_end() -> None:
    async def read() -> None:
        node = StubNode()
        kept = journal_of(node)
        following = asyncio.create_task(kept.follow())
        waiting = asyncio.create_task(kept.changed_after(NOTHING_READ))
        node.add(FIRST)
        await waiting
        waiting = asyncio.create_task(kept.changed_after(1))
        node.add(*updates(1))
        await waiting
        waiting = asyncio.create_task(kept.changed_after(2))
        node.add(None)
        await waiting
        await following
        assert await kept.read_after(2) is None

    asyncio.run(asyncio.wait_for(read(), 20))


NAMES = st.sampled_from("abc")
KINDS = st.sampled_from(
    [EventKind.JOINED, EventKind.UPDATED, EventKind.DIED, EventKind.FORGOTTEN, EventKind.CONFLICT, EventKind.SUSPECTED]
)
CHANGES = st.lists(st.tuples(KINDS, NAMES, st.integers(1, 3)), max_size=20)


@given(CHANGES, st.integers(0, 20))
def test_a_snapshot_and_the_events_after_it_give_the_same_members_wherever_a_reader_begins(
    changes: list[tuple[EventKind, str, int]], begin: int
) -> None:
    async def read() -> None:
        items = [event(kind, member(name, generation=generation)) for kind, name, generation in changes]
        early = await followed([FIRST, *items[:begin]])
        ((place, snapshot),) = await everything_after(early, NOTHING_READ)
        late = await followed([FIRST, *items])
        ((_, expected),) = await everything_after(late, NOTHING_READ)
        members = {each["id"]: each for each in snapshot["members"]}
        for _, told in await everything_after(late, place):
            if told["event"] == "forgotten":
                members.pop(told["id"], None)
            elif told["event"] != "conflict":
                if told["event"] == "joined":
                    members = {key: each for key, each in members.items() if each["name"] != told["name"]}
                members[told["id"]] = {field: told[field] for field in snapshot["members"][0]}
        assert members == {each["id"]: each for each in expected["members"]}

    if begin <= len(changes):
        asyncio.run(read())


@attrs.define
class Client:
    """A client of a stream, which takes so many messages and then no more."""

    takes: int
    taken: list[Message] = attrs.Factory(list)
    gone: asyncio.Event = attrs.Factory(asyncio.Event)

    async def send(self, message: Message) -> None:
        if len(self.taken) == self.takes:
            await asyncio.Event().wait()
        self.taken.append(message)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def stream_to(client: Client, running: Running, place: int = NOTHING_READ) -> None:
    stream = event_stream.EventStream(running, place)
    await stream({"type": "http", "method": "GET"}, client.receive, client.send)


def running_with(node: StubNode) -> Running:
    return Running(node, journal_of(node), asyncio.Event())  # type: ignore[arg-type]


def test_a_client_that_takes_nothing_is_disconnected_and_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        monkeypatch.setattr(event_stream, "SEND_LIMIT_S", 0.05)
        node = StubNode([FIRST])
        running = running_with(node)
        following = asyncio.create_task(running.journal.follow())
        slow, quick = Client(takes=1), Client(takes=10_000)
        streams = [asyncio.create_task(stream_to(client, running)) for client in (slow, quick)]
        await streams[0]
        assert running.streams == 1
        node.add(*updates(500), None)
        await streams[1]
        bodies = b"".join(message.get("body", b"") for message in quick.taken)
        assert items_in(bodies)[-1][0] == 501
        assert quick.taken[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        assert running.streams == 0
        await following

    asyncio.run(asyncio.wait_for(read(), 20))


def test_a_snapshot_goes_out_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        monkeypatch.setattr(event_stream, "PIECE_BYTES", 100)
        node = StubNode([FIRST, None])
        running, client = running_with(node), Client(takes=10_000)
        await asyncio.gather(running.journal.follow(), stream_to(client, running))
        assert max(len(message.get("body", b"")) for message in client.taken) == 100
        assert kinds(items_in(b"".join(message.get("body", b"") for message in client.taken))) == [(1, "snapshot")]

    asyncio.run(asyncio.wait_for(read(), 20))


def test_a_stream_ends_when_its_client_goes_and_when_the_server_stops() -> None:
    async def read() -> None:
        running = running_with(StubNode([FIRST]))
        following = asyncio.create_task(running.journal.follow())
        gone, stays = Client(takes=10), Client(takes=10)
        first = asyncio.create_task(stream_to(gone, running))
        second = asyncio.create_task(stream_to(stays, running))
        gone.gone.set()
        await first
        assert not second.done()
        running.stopping.set()
        await second
        assert stays.taken[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        following.cancel()

    asyncio.run(asyncio.wait_for(read(), 20))


async def answers(app: Starlette, path: str) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        response = await client.get(path)
        return response.status_code, response.json()


def test_a_process_whose_node_has_failed_is_not_live() -> None:
    async def failed() -> None:
        raise OSError("the network is gone")

    async def read() -> None:
        app = Starlette(routes=health_routes())
        app.state.gossip = running_with(StubNode(explain=failed))
        assert await answers(app, "/livez") == (503, {"live": False, "why": "the network is gone"})

    asyncio.run(read())


def test_a_process_whose_node_does_not_answer_is_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        monkeypatch.setattr(routes, "LIVE_LIMIT_S", 0.01)
        app = Starlette(routes=health_routes())
        app.state.gossip = running_with(StubNode(explain=asyncio.Event().wait))  # type: ignore[arg-type]
        status, told = await answers(app, "/livez")
        assert (status, told) == (503, {"live": False, "why": "the node has not answered for 0.01 s"})

    asyncio.run(read())


def test_a_process_whose_node_is_closed_is_not_ready() -> None:
    async def read() -> None:
        app = Starlette(routes=health_routes())
        app.state.gossip = running_with(StubNode())
        assert (await answers(app, "/readyz"))[0] == 200
        app.state.gossip.is_over = True
        assert await answers(app, "/readyz") == (
            503, {"ready": False, "standing": None, "why": "the node is closed"},
        )  # fmt: skip

    asyncio.run(read())
