"""Asking all agents for their views, and waiting until all of them are as they should be."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from benchmarks.agents.judge import View, disagreements
from benchmarks.agents.processes import Agents
from gossip import query_members
from gossip.core.config import Config
from gossip.errors import QueryError
from gossip.security.keyring import Keyring

ANSWER_WITHIN_S = 10.0
"""For one answer. Packets of streams are lost as well, and the system sends them again after a while."""

AGAIN_AFTER_S = 1.0


async def agreement(agents: Agents, config: Config, keyring: Keyring | None, within_s: float) -> tuple[str, ...]:
    """Wait until every agent that is up sees every other one as it is, and nobody else.

    :returns: what is wrong with the views when ``within_s`` are over, in words; nothing as soon as nothing is wrong.
    """
    deadline = trio.current_time() + within_s
    while True:
        wrong = await _look(agents, config, keyring)
        if not wrong or trio.current_time() >= deadline:
            return tuple(wrong)
        await trio.sleep(AGAIN_AFTER_S)


async def _look(agents: Agents, config: Config, keyring: Keyring | None) -> Sequence[str]:
    names = [life.name for life in agents.truth.up()]
    views: dict[str, View] = {}
    silent: list[str] = []

    async def ask(name: str) -> None:
        try:
            members = await query_members(agents.address(name), config=config, timeout=ANSWER_WITHIN_S, keyring=keyring)
        except QueryError as error:
            silent.append(f"{name} was asked for its view, but {error}")
            return
        living = [member for member in members if member.status.is_living]
        views[name] = {member.name: (member.generation, member.metadata.get("value", "")) for member in living}

    async with trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(ask, name)
    expected = {name: agents.values[name] for name in names}
    return [*silent, *disagreements(agents.truth, expected, views)]
