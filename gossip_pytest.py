"""Fixtures for tests of programs that use gossip: clusters in memory, and nodes without any protocol.

pytest loads this module at its start. So it imports nothing of gossip or trio before a fixture is used, and stands
outside the package ``gossip``, which imports both. ``pytest -p no:gossip`` turns it off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import gossip.testing.aio
    import gossip.testing.blocking

MARKER = (
    "gossip_cluster(nodes=3, *, seed, config, metadata, keyring, latency, loss): the arguments of "
    "gossip.testing.cluster for the fixtures gossip_cluster, aio_gossip_cluster and blocking_gossip_cluster"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and the fixture that pytest-asyncio runs."""
    config.addinivalue_line("markers", MARKER)
    if config.pluginmanager.hasplugin("asyncio"):
        config.pluginmanager.register(_of_pytest_asyncio(), "gossip_of_pytest_asyncio")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have pytest-trio run the tests with ``gossip_cluster``, in virtual time."""
    if config.pluginmanager.hasplugin("trio"):
        for item in items:
            if "gossip_cluster" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.trio(run=_run), append=False)


def _run(*args: Any, **options: Any) -> Any:
    from gossip.testing import run  # noqa: PLC0415 - see above

    return run(*args, **options)


def _arguments(request: pytest.FixtureRequest) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the marker of a test says about its cluster."""
    marker = request.node.get_closest_marker("gossip_cluster")
    return ((), {}) if marker is None else (marker.args, dict(marker.kwargs))


# --- for tests with trio


@pytest.fixture
def fake_node() -> gossip.testing.FakeNode:
    """A :class:`gossip.testing.FakeNode` named ``me``, without other members."""
    from gossip.testing import FakeNode  # noqa: PLC0415 - see above

    return FakeNode()


@pytest.fixture
async def gossip_cluster(request: pytest.FixtureRequest) -> AsyncIterator[gossip.testing.Cluster]:
    """A :func:`gossip.testing.cluster` of three nodes that agree, ``n0``, ``n1`` and ``n2``, for tests by pytest-trio.

    Its tests run in virtual time, so seconds pass in milliseconds. A marker gives other arguments:
    ``@pytest.mark.gossip_cluster(5, seed=7)``.
    """
    from gossip.testing import cluster  # noqa: PLC0415 - see above

    arguments, named = _arguments(request)
    async with cluster(*arguments, **named) as opened:
        yield opened


# --- for tests with asyncio


@pytest.fixture
def aio_fake_node() -> gossip.testing.aio.FakeNode:
    """A :class:`gossip.testing.aio.FakeNode` named ``me``, without other members."""
    from gossip.testing.aio import FakeNode  # noqa: PLC0415 - see above

    return FakeNode()


@pytest.fixture
def aio_gossip_cluster(request: pytest.FixtureRequest) -> gossip.testing.aio.Cluster:
    """A :func:`gossip.testing.aio.cluster` of three nodes that agree, for tests by pytest-asyncio or the plugin of
    anyio.

    A marker gives other arguments: ``@pytest.mark.gossip_cluster(5, seed=7)``.
    """
    plugins = request.config.pluginmanager
    if "anyio_backend" in request.fixturenames:
        runner = "anyio"
    elif plugins.hasplugin("asyncio"):
        runner = "pytest_asyncio"
    else:
        raise pytest.UsageError("aio_gossip_cluster needs pytest-asyncio, or a test with the marker of anyio")
    opened: gossip.testing.aio.Cluster = request.getfixturevalue(f"_gossip_cluster_by_{runner}")
    return opened


def _aio_fixture() -> Callable[[pytest.FixtureRequest], AsyncIterator[gossip.testing.aio.Cluster]]:
    """What ``aio_gossip_cluster`` is; a new function each time, because pytest-asyncio marks the one that it gets."""

    async def aio_cluster(request: pytest.FixtureRequest) -> AsyncIterator[gossip.testing.aio.Cluster]:
        from gossip.testing.aio import cluster  # noqa: PLC0415 - see above

        arguments, named = _arguments(request)
        async with cluster(*arguments, **named) as opened:
            yield opened

    return aio_cluster


_by_anyio = pytest.fixture(_aio_fixture(), name="_gossip_cluster_by_anyio")


def _of_pytest_asyncio() -> ModuleType:
    """The same fixture in the form that pytest-asyncio asks for. It is imported only where pytest has loaded it."""
    import pytest_asyncio  # noqa: PLC0415 - see above

    fixtures = ModuleType("gossip_of_pytest_asyncio")
    name = "_gossip_cluster_by_pytest_asyncio"
    setattr(fixtures, name, pytest_asyncio.fixture(_aio_fixture(), name=name))
    return fixtures


# --- for tests without an event loop


@pytest.fixture
def blocking_fake_node() -> gossip.testing.blocking.FakeNode:
    """A :class:`gossip.testing.blocking.FakeNode` named ``me``, without other members."""
    from gossip.testing.blocking import FakeNode  # noqa: PLC0415 - see above

    return FakeNode()


@pytest.fixture
def blocking_gossip_cluster(request: pytest.FixtureRequest) -> Iterator[gossip.testing.blocking.Cluster]:
    """A :func:`gossip.testing.blocking.cluster` of three nodes that agree, for tests that are no async functions.

    A marker gives other arguments: ``@pytest.mark.gossip_cluster(5, seed=7)``.
    """
    from gossip.testing.blocking import cluster  # noqa: PLC0415 - see above

    arguments, named = _arguments(request)
    with cluster(*arguments, **named) as opened:
        yield opened
