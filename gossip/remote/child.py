"""The process of a node: it opens the node, does what the program asks, and tells what happens.

This module decides when the process ends: with the node's block in the program, or with the program. No signal that
can be refused ends it, because the program may still want to leave.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, NoReturn

import attrs
import trio

from gossip.net import MonotonicClock
from gossip.node import Inside, background_tasks, open_node
from gossip.remote.channel import Channel, ChannelEnded, dumps
from gossip.remote.feed import Feed
from gossip.remote.lines import PACKAGE, LineKeeper, keep_lines
from gossip.remote.messages import Call, LogLevel, Open, Refused, Reply
from gossip.remote.parent import wait_for_end_of

REFUSED_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that are meant for the program, and that its supervisor may send to all its processes at once."""

PARENT_ENDED = 3
"""Exit code of a process whose program has ended before it. Nobody is left to read it."""


def main(descriptor: int, parent: int) -> None:
    """Run the node of a program.

    :param descriptor: of the socket at whose other end the program is.
    :param parent: id of the program's process.
    """
    if sys.platform == "win32":
        raise NotImplementedError("a node in a process of its own is refused on Windows before this is called")
    for name in REFUSED_SIGNALS:
        signal.signal(signal.Signals[name], signal.SIG_IGN)
    os.set_blocking(2, False)  # nobody may be reading what a failure writes there
    trio.run(_live, socket.socket(fileno=descriptor), parent, clock=MonotonicClock(), strict_exception_groups=True)


async def _live(end: socket.socket, parent: int) -> None:
    channel = Channel(trio.SocketStream(trio.socket.from_stdlib_socket(end)))
    async with background_tasks() as nursery:
        nursery.start_soon(_end_with, parent)
        with contextlib.suppress(ChannelEnded):  # the program has closed the node, or has ended
            opening: Open = await channel.receive()
            await _run(opening, channel)


async def _end_with(parent: int) -> NoReturn:
    """End this process at once when its parent has ended. Peers see a crash, because the program crashed."""
    await wait_for_end_of(parent)
    os._exit(PARENT_ENDED)


async def _run(opening: Open, channel: Channel) -> None:
    """Open the node, and serve the program.

    :raises ChannelEnded: once the program has gone.
    """
    arguments = {field.name: getattr(opening.arguments, field.name) for field in attrs.fields(type(opening.arguments))}
    lines = keep_lines(opening.arguments.name, opening.log_level)
    async with AsyncExitStack() as stack:
        try:
            node = await stack.enter_async_context(open_node(**arguments))
        except Exception as error:  # noqa: BLE001 - raised where the program opens the node
            await channel.send(Refused(portable(error)))
            await channel.receive()
            return
        await _serve(Inside.of(node), lines, channel)


async def _serve(inside: Inside, lines: LineKeeper, channel: Channel) -> NoReturn:
    """
    :raises ChannelEnded: once the program has gone.
    """
    feed = Feed(inside, lines)
    async with background_tasks() as nursery:
        nursery.start_soon(_send, feed, channel)
        while True:
            match await channel.receive():
                case Call() as call:
                    nursery.start_soon(_answer, inside, call, feed)
                case LogLevel(level):
                    logging.getLogger(PACKAGE).setLevel(level)


async def _send(feed: Feed, channel: Channel) -> None:
    with contextlib.suppress(ChannelEnded):  # the task that receives notices it, too
        await feed.run(channel)


async def _answer(inside: Inside, call: Call, feed: Feed) -> None:
    methods: dict[str, Callable[..., Awaitable[Any]]] = {
        "update": inside.update,
        "use_keyring": inside.use_keyring,
        "explain": inside.explain,
        "leave": inside.leave,
    }
    try:
        reply = Reply(call.number, await methods[call.method](*call.arguments))
    except Exception as error:  # noqa: BLE001 - raised where the program calls
        reply = Reply(call.number, error=portable(error))
    feed.reply(reply)


def portable(error: Exception) -> Exception:
    """An exception in a form in which the program can raise it: itself, or one that shows it, if it cannot cross."""
    try:
        pickle.loads(dumps(error))
    except Exception:  # noqa: BLE001 - an exception of any kind may raise anything
        return RuntimeError(f"{type(error).__name__} in the process of the node: {error}")
    return error
