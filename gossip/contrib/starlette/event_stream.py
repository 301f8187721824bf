"""A response that tells the changes of the membership as they come (server-sent events, WHATWG HTML, section 9.2).

This module decides when a stream ends and what a client costs. What is told next is decided by the journal.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gossip.contrib.starlette.journal import PIECE_BYTES
from gossip.contrib.starlette.lifespan import Running

MAX_STREAMS = 100
"""Streams that one process serves at once; each holds a connection, and at most some 128 KiB for a slow client."""

KEEP_ALIVE_S = 15.0
"""Seconds without an item after which a comment is sent, so that proxies do not end the stream: most wait for 60."""

SEND_LIMIT_S = 30.0
"""Seconds that a client may take nothing from its connection before its stream is ended."""

logger = logging.getLogger(__name__)


class EventStream(Response):
    """All changes from a place in the journal on, until the node is closed, the server stops or the client goes."""

    media_type = "text/event-stream"

    def __init__(self, running: Running, place: int) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._running = running
        self._journal = running.journal
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        if self._running.streams >= MAX_STREAMS:
            await _refusal()(scope, receive, send)
            return
        self._running.streams += 1
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD" or await self._stream(receive, send):
                await _send_in_time(send, b"", more=False)
        finally:
            self._running.streams -= 1

    async def _stream(self, receive: Receive, send: Send) -> bool:
        """Tell the changes until the stream ends; returns whether the client is still there to be told of its end."""
        stopping, is_complete = self._running.stopping, False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_after, _client_goes(receive), tasks.cancel_scope)
            tasks.start_soon(_cancel_after, stopping.wait(), tasks.cancel_scope)
            is_complete = await self._tell_changes(send)
            tasks.cancel_scope.cancel()
        return is_complete or stopping.is_set()

    async def _tell_changes(self, send: Send) -> bool:
        """Tell the changes until nothing follows; returns false if the client has taken nothing for too long."""
        place = self._place
        while True:
            with anyio.move_on_after(KEEP_ALIVE_S) as idle:
                await self._journal.changed_after(place)
            text = b": nothing has changed\n\n"
            if not idle.cancelled_caught:
                read = await self._journal.read_after(place)
                if read is None:
                    return True
                place, text = read
            for begin in range(0, len(text), PIECE_BYTES):
                if not await _send_in_time(send, text[begin : begin + PIECE_BYTES], more=True):
                    logger.info("a stream of events is ended: its client has taken nothing for %g s", SEND_LIMIT_S)
                    return False


async def _send_in_time(send: Send, body: bytes, *, more: bool) -> bool:
    with anyio.move_on_after(SEND_LIMIT_S) as limit:
        await send({"type": "http.response.body", "body": body, "more_body": more})
    return not limit.cancelled_caught


async def _client_goes(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # the body of the request, which is empty


async def _cancel_after(waiting: Awaitable[object], scope: anyio.CancelScope) -> None:
    await waiting
    scope.cancel()


def _refusal() -> Response:
    text = json.dumps({"error": f"{MAX_STREAMS} clients follow the changes in this process, and that is the limit"})
    return Response(text, 503, {"cache-control": "no-store"}, "application/json")
