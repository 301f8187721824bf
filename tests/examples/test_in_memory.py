"""The examples once more, as users test their programs: in a cluster in memory."""

from __future__ import annotations

import asyncio
import runpy
import threading
from typing import Any

import pytest
import trio
import trio.testing

import gossip
import gossip.testing
import gossip.testing.aio
import gossip.testing.blocking
from tests.facade.flavours import until, wait_until
from tests.rst import ROOT

NAMES = ["ada", "brook", "cleo"]


def example(flavour: str) -> dict[str, Any]:
    """What the example of this flavour defines."""
    return runpy.run_path(str(ROOT / "examples" / f"{flavour}_workers.py"))


class Printed:
    """What a worker has printed so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def owners(self) -> list[str]:
        """The owners in the last line."""
        self._text += self._capsys.readouterr().out
        last = self._text.splitlines()[-1] if self._text else ""
        return [share.split(":")[0] for share in last.split(" | ")]


async def test_on_trio(capsys: pytest.CaptureFixture[str], nursery: trio.Nursery, autojump_clock: object) -> None:
    printed = Printed(capsys)
    async with gossip.testing.cluster(NAMES) as cluster:
        nursery.start_soon(example("trio")["share_out"], cluster["ada"])
        await trio.testing.wait_all_tasks_blocked()
        assert printed.owners() == NAMES
        await cluster.crash("brook")
        await cluster.until_agreed()
        await trio.testing.wait_all_tasks_blocked()
        assert printed.owners() == ["ada", "cleo"]


def test_on_asyncio(capsys: pytest.CaptureFixture[str]) -> None:
    printed = Printed(capsys)

    async def scenario() -> None:
        async with gossip.testing.aio.cluster(NAMES) as cluster:
            sharing = asyncio.create_task(example("asyncio")["share_out"](cluster["ada"]))
            await until(lambda: printed.owners() == NAMES)
            await cluster.crash("brook")
            await cluster.until_agreed()
            await until(lambda: printed.owners() == ["ada", "cleo"])
            await cluster.crash("ada")
            await sharing  # the iteration ends with its node

    asyncio.run(scenario())


def test_in_threads(capsys: pytest.CaptureFixture[str]) -> None:
    printed = Printed(capsys)
    with gossip.testing.blocking.cluster(NAMES) as cluster:
        sharing = threading.Thread(target=example("blocking")["share_out"], args=(cluster["ada"],))
        sharing.start()
        wait_until(lambda: printed.owners() == NAMES)
        cluster.crash("brook")
        cluster.until_agreed()
        wait_until(lambda: printed.owners() == ["ada", "cleo"])
        cluster.crash("ada")
        sharing.join()


def test_a_web_application_joins_unchanged() -> None:
    fastapi = pytest.importorskip("fastapi", reason="pip install 'gossip-membership[web-test]': no fastapi")
    from gossip.contrib.starlette import lifespan, node_of  # noqa: PLC0415 - it needs the package, too

    async def scenario() -> None:
        app = fastapi.FastAPI(lifespan=lifespan("web-1", seeds=["ada:7946"], insecure=True))
        async with gossip.testing.aio.cluster(NAMES) as cluster:
            async with app.router.lifespan_context(app):
                await node_of(app).joined()
                await cluster.until_agreed()
                assert cluster["ada"].alive == node_of(app).alive == 4
            await cluster.until_agreed()
            gone = cluster["ada"].get("web-1")
            assert gone is not None
            assert gone.status is gossip.Status.LEFT

    asyncio.run(scenario())
