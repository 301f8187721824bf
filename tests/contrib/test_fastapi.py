"""A node beside a FastAPI application: its dependencies hold for the routes, and the node is one itself."""

from __future__ import annotations

import os

import pytest

from gossip.contrib.starlette import get_node
from gossip.testing.aio import FakeNode
from tests.contrib.servers import following, serving

pytest.importorskip("fastapi", reason="pip install 'gossip-membership[web-test]'")

from tests.contrib import fastapi_program

ADMIN = {"x-token": "secret"}


async def test_the_node_is_a_dependency_of_handlers() -> None:
    async with serving(fastapi_program.app) as client:
        assert (await client.get("/peers")).json() == {f"web-{os.getpid()}": "alive"}
        assert (await client.put("/release/8")).json() == "8"
        assert (await client.get("/readyz")).status_code == 200


async def test_dependencies_of_a_router_hold_for_the_routes_that_show_members() -> None:
    async with serving(fastapi_program.app) as client:
        for path in ("/cluster/members", "/cluster/members/web", "/cluster/events"):
            assert (await client.get(path)).status_code == 422
            assert (await client.get(path, headers={"x-token": "wrong"})).status_code == 403
        (member,) = (await client.get("/cluster/members", headers=ADMIN)).json()
        assert (await client.get(f"/cluster/members/{member['name']}", headers=ADMIN)).json()["id"] == member["id"]
        async with following(client, "/cluster/events", **ADMIN) as items:
            assert (await anext(items)).told == ("snapshot", member["name"])


async def test_a_test_puts_a_node_of_its_own_in_the_place_of_the_dependency() -> None:
    node = FakeNode("me")
    node.member_joined("brook")
    fastapi_program.app.dependency_overrides[get_node] = lambda: node
    try:
        async with serving(fastapi_program.app) as client:
            assert (await client.get("/peers")).json() == {"brook": "alive", "me": "alive"}
    finally:
        fastapi_program.app.dependency_overrides.clear()
