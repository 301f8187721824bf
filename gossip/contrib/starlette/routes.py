"""What can be asked over HTTP: who is there, what changes, and whether this process is fit to serve."""

from __future__ import annotations

import json
import time
from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gossip.contrib.starlette.event_stream import EventStream
from gossip.contrib.starlette.lifespan import running_of
from gossip.core.state.member import is_valid_name
from gossip.core.state.node_standing import Standing
from gossip.json_forms import explanation_json, member_json
from gossip.node import near_names

LIVE_LIMIT_S = 5.0
"""Seconds within which a node answers that is on time."""


def health_routes() -> list[BaseRoute]:
    """Two routes that tell an orchestrator what to do with this process.

    ``/livez``: whether the loop and the thread of the node are on time, with status 200, or else 503: restart the
    process. It does not depend on other members, so that no fault of the network restarts all processes.

    ``/readyz``: whether the node is connected, with status 200, or else 503: send no requests here. Says why.

    >>> from gossip.contrib.starlette import health_routes, lifespan
    >>> from starlette.applications import Starlette
    >>> app = Starlette(lifespan=lifespan("web-1"), routes=health_routes())
    >>> [route.path for route in app.routes]
    ['/livez', '/readyz']
    """
    return [Route("/livez", livez), Route("/readyz", readyz)]


def membership_routes() -> list[Route]:
    """Three routes that show the members, their addresses and metadata: protect them.

    ``/members``: all members, in the form of ``gossip members --json``.

    ``/members/{name}``: one of them, with the explanation of ``gossip members --explain NAME --json``; or status 404
    and the names that are near.

    ``/events``: server-sent events without end. The data are the lines of ``gossip agent --events json``, and each
    item has an id. The first item is a snapshot, which replaces all that was told before. Only if the request has the
    header ``Last-Event-ID``, with the id of an item of this process, and everything after that item is still kept, the
    stream goes on with the next event. A client that is too slow gets a snapshot in place of what it missed. So no
    client misses anything without a sign.

    >>> from gossip.contrib.starlette import lifespan, membership_routes
    >>> from starlette.applications import Starlette
    >>> from starlette.routing import Mount
    >>> app = Starlette(lifespan=lifespan("web-1"), routes=[Mount("/cluster", routes=membership_routes())])
    >>> app.url_path_for("member", name="db-1")
    '/cluster/members/db-1'
    """
    return [Route("/members", members), Route("/members/{name:path}", member), Route("/events", events)]


async def livez(request: Request) -> Response:
    """Whether the loop and the thread of the node are on time."""
    running = running_of(request)
    began = time.monotonic()
    try:
        with anyio.fail_after(LIVE_LIMIT_S):
            await running.node.explain(running.node.local.name)
    except TimeoutError:
        return _json({"live": False, "why": f"the node has not answered for {LIVE_LIMIT_S:g} s"}, 503)
    except Exception as error:  # noqa: BLE001 - the node may have failed of anything
        return _json({"live": False, "why": str(error) or repr(error)}, 503)
    return _json({"live": True, "answered_after": round(time.monotonic() - began, 6)})


async def readyz(request: Request) -> Response:
    """Whether the node is connected."""
    running = running_of(request)
    own = running.node.standing
    if running.is_over:
        return _json({"ready": False, "standing": None, "why": "the node is closed"}, 503)
    is_ready = own.standing is Standing.CONNECTED
    return _json({"ready": is_ready, "standing": own.standing.value, "why": own.why}, 200 if is_ready else 503)


async def members(request: Request) -> Response:
    """All members that the node knows."""
    known = running_of(request).node.members()
    text = await anyio.to_thread.run_sync(lambda: json.dumps([member_json(each) for each in known]))
    return _answer(text)


async def member(request: Request) -> Response:
    """One member, and why it is where it is."""
    node, name = running_of(request).node, request.path_params["name"]
    told = await node.explain(name)
    if told is not None:
        return _json(member_json(told.member) | {"explanation": explanation_json(told)})
    if not is_valid_name(name):
        return _json({"error": "no member can have this name", "near": []}, 404)
    return _json({"error": f"no member has the name {name!r}", "near": near_names(name, node.members())}, 404)


async def events(request: Request) -> Response:
    """All changes, as they come."""
    running = running_of(request)
    return EventStream(running, running.journal.place_of(request.headers.get("last-event-id")))


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return _answer(json.dumps(content), status)


def _answer(text: str, status: int = 200) -> Response:
    """An answer in ASCII: names are escaped."""
    return Response(text, status, {"cache-control": "no-store"}, "application/json")
