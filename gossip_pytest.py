"""Fixtures for tests of programs that use gossip: a cluster in memory, and a node without any protocol.

pytest loads this module at its start. So it imports nothing of gossip or trio before a fixture is used, and stands
outside the package ``gossip``, which imports both. ``pytest -p no:gossip`` turns it off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gossip.testing import Cluster, FakeNode

MARKER = (
    "gossip_cluster(nodes=3, *, seed, config, metadata, keyring, latency, loss): the arguments of "
    "gossip.testing.cluster for the fixture gossip_cluster"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have pytest-trio run the tests with ``gossip_cluster``, in virtual time."""
    if config.pluginmanager.hasplugin("trio"):
        for item in items:
            if "gossip_cluster" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.trio(run=_run), append=False)


def _run(*args: Any, **options: Any) -> Any:
    from gossip.testing import run  # noqa: PLC0415 - see above

    return run(*args, **options)


@pytest.fixture
def fake_node() -> FakeNode:
    """A :class:`gossip.testing.FakeNode` named ``me``, without other members."""
    from gossip.testing import FakeNode  # noqa: PLC0415 - see above

    return FakeNode()


@pytest.fixture
async def gossip_cluster(request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    """A :func:`gossip.testing.cluster` of three nodes that agree, ``n0``, ``n1`` and ``n2``, for tests by pytest-trio.

    Its tests run in virtual time, so seconds pass in milliseconds. A marker gives other arguments:
    ``@pytest.mark.gossip_cluster(5, seed=7)``.
    """
    from gossip.testing import cluster  # noqa: PLC0415 - see above

    marker = request.node.get_closest_marker("gossip_cluster")
    arguments, named = ((), {}) if marker is None else (marker.args, marker.kwargs)
    async with cluster(*arguments, **named) as opened:
        yield opened
