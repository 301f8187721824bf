"""Calls of a program to the process of its node: sent in order, answered in any order.

A call that is cancelled before it was sent is not sent. One that is cancelled later is carried out all the same, and
nobody is told of its outcome.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any

import attrs
import trio

from gossip.remote.channel import Channel
from gossip.remote.messages import Call, LogLevel, Reply


@attrs.define
class _Waiting:
    """Somebody who waits for a reply."""

    woken: trio.Event = attrs.field(factory=trio.Event)
    reply: Reply | None = None


class Calls:
    """The calls that are not answered yet."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._unsent: dict[int, Call | LogLevel] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._something = trio.Event()
        self._failure: Exception | None = None

    async def ask(self, method: str, *arguments: object) -> Any:
        """Call a method of the node; returns what it returns, and raises what it raises."""
        await trio.lowlevel.checkpoint_if_cancelled()
        self.require_open()
        number, waiting = next(self._numbers), _Waiting()
        self._waiting[number] = waiting
        self._put(number, Call(number, method, arguments))
        try:
            await waiting.woken.wait()
        finally:
            del self._waiting[number]
            self._unsent.pop(number, None)
        if waiting.reply is None:
            self.require_open()  # it is not
            raise AssertionError
        if waiting.reply.error is not None:
            raise waiting.reply.error
        return waiting.reply.value

    def tell(self, message: LogLevel) -> None:
        """Send something that has no answer."""
        self._put(next(self._numbers), message)

    def answer(self, reply: Reply) -> None:
        """Give a reply to the task that waits for it."""
        if (waiting := self._waiting.get(reply.number)) is not None:
            waiting.reply = reply
            waiting.woken.set()

    def end(self, failure: Exception) -> None:
        """Let all calls raise this from now on, those that wait for a reply included, unless they do so already."""
        if self._failure is None:
            self._failure = failure
        for waiting in self._waiting.values():
            waiting.woken.set()

    @property
    def have_ended(self) -> bool:
        """Whether no call can be answered any more."""
        return self._failure is not None

    def require_open(self) -> None:
        """Raise what :meth:`end` was given; each time a new copy, because an exception has one traceback."""
        if self._failure is not None:
            raise copy.copy(self._failure)

    async def send(self, channel: Channel) -> None:
        """Send what there is to send until cancelled.

        :raises ChannelEnded: if nobody can receive it any more.
        """
        while True:
            while self._unsent:
                await channel.send(self._unsent.pop(next(iter(self._unsent))))
            self._something = trio.Event()
            await self._something.wait()

    def _put(self, number: int, message: Call | LogLevel) -> None:
        self._unsent[number] = message
        self._something.set()
