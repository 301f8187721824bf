"""For tests of programs without an event loop: a cluster in memory, and a node without any protocol.

::

    import gossip.testing.blocking

    def test_a_crash_is_noticed():
        with gossip.testing.blocking.cluster(5) as cluster:
            cluster.crash("n2")
            cluster.until_agreed()
            assert cluster["n0"].get("n2").status is gossip.Status.DEAD

The methods are those of :mod:`gossip.testing`; what waits there blocks here.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import trio

from gossip.blocking import Node
from gossip.blocking.opening import raise_failure
from gossip.blocking.waiting import close, outcome_of, wait_until_open
from gossip.core.config import Config
from gossip.core.state.local import NO_METADATA
from gossip.core.support.arguments import require_seconds
from gossip.facade import Held, Reading
from gossip.node import has_joined_or_left, require_patience
from gossip.security import Keyring
from gossip.testing.cluster import PATIENCE_S, Metadata
from gossip.testing.cluster import Cluster as TrioCluster
from gossip.testing.fake_held import HeldFake
from gossip.testing.held_cluster import HeldCluster, held_cluster
from gossip.testing.pace import VirtualPace
from gossip.testing.wire import DEFAULT_LATENCY_S

__all__ = ["Cluster", "FakeNode", "cluster"]

T = TypeVar("T")


@contextmanager
def cluster(
    nodes: int | Iterable[str] = 3,
    *,
    seed: int = 0,
    config: Config | None = None,
    metadata: Metadata | None = None,
    keyring: Keyring | None = None,
    latency: float = DEFAULT_LATENCY_S,
    loss: float = 0.0,
) -> Iterator[Cluster]:
    """A cluster in memory for as long as the ``with`` block runs; when the block begins, all nodes agree.

    Its nodes are real ones, on a network in memory. Inside the block, :func:`gossip.blocking.open_node` opens nodes
    there, too, so a program under test joins the cluster without any change. This holds for the whole process. ::

        >>> import gossip.testing.blocking
        >>> with gossip.testing.blocking.cluster(3) as cluster:
        ...     cluster.crash("n2")
        ...     cluster.until_agreed()
        ...     print(cluster["n0"].get("n2").status)
        Status.DEAD

    The cluster has a virtual time. While the thread that entered the block waits for the cluster or for a node, its
    clock jumps to what is due next. While only other threads wait for a node, it goes as real clocks do. While nobody
    waits, it stands still. The timeouts of nodes and subscriptions are counted in that time.

    :param nodes: how many nodes there are at first, ``n0``, ``n1`` and so on; or their names.
    :param seed: decides what is lost, how long everything takes, and what the nodes draw.
    :param config: the settings of the nodes, by default :meth:`gossip.Config.lan`.
    :param metadata: what each of them says of itself, or a function that gives that for a name.
    :param keyring: the keys of the nodes; None for nodes that do not seal.
    :param latency: seconds from one node to another; see :attr:`Cluster.latency`.
    :param loss: share of what is lost on the way; see :attr:`Cluster.loss`.
    :raises ConfigurationError: if an argument is malformed.
    """
    held = held_cluster(VirtualPace(), nodes, seed, config, metadata, keyring, latency, loss)
    wait_until_open(held)
    error: BaseException | None = None
    try:
        yield Cluster(held)
    except BaseException as raised:
        error = raised
        raise
    finally:
        close(held)
        raise_failure(held.failure, error)


class Cluster(HeldCluster[Node]):
    """The nodes of a test, and what is between them. Made by :func:`cluster`; every thread may use it.

    ``cluster["n1"]`` is the latest node of that name, and ``for node in cluster`` goes through those that run. ::

        >>> import gossip.testing.blocking
        >>> with gossip.testing.blocking.cluster(["db", "web"], metadata={"zone": "a"}) as cluster:
        ...     cluster.split({"db"})
        ...     cluster.until_agreed()
        ...     print([node.alive for node in cluster])
        ...     cluster.heal()
        ...     cluster.until_agreed()
        ...     print(cluster["web"].get("db").metadata["zone"])
        [1, 1]
        a
    """

    def __init__(self, held: Held[TrioCluster]) -> None:
        super().__init__(held, Node)

    def start(self, name: str, *, metadata: Mapping[str, str] | None = None, config: Config | None = None) -> Node:
        """Open a node, which looks for the others from now on; see :meth:`gossip.testing.Cluster.start`."""
        self._ask(lambda: self._inside.start(name, metadata=metadata, config=config))
        return self[name]

    def restart(self, name: str) -> Node:
        """Crash a node if it runs, and open it again; see :meth:`gossip.testing.Cluster.restart`."""
        self._ask(lambda: self._inside.restart(name))
        return self[name]

    def crash(self, *names: str) -> None:
        """Kill nodes at once, without a farewell; see :meth:`gossip.testing.Cluster.crash`.

        What the program does next with such a node raises :class:`gossip.ClosedError`.
        """
        self._ask(lambda: self._inside.crash(*names))

    def leave(self, name: str) -> tuple[str, ...]:
        """Have a node say farewell, and then end; see :meth:`gossip.testing.Cluster.leave`."""
        return self._ask(lambda: self._inside.leave(name))

    def until_agreed(self, timeout: float = PATIENCE_S) -> None:
        """Wait until all nodes that run agree; see :meth:`gossip.testing.Cluster.until_agreed`.

        :param timeout: seconds of the cluster to wait.
        :raises AssertionError: if that is not enough; the text says which node sees what.
        """
        self._ask(lambda: self._inside.until_agreed(timeout))

    def sleep(self, seconds: float) -> None:
        """Let so much time pass in the cluster.

        :raises ConfigurationError: if it is no number of seconds from 0 on.
        """
        require_seconds("seconds", seconds)
        self._ask(functools.partial(trio.sleep, seconds))

    def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        self._held.require_open()
        return outcome_of(self._held, work)


class FakeNode(HeldFake, Node):
    """A :class:`gossip.blocking.Node` without any protocol, for unit tests: a test says what its members do. ::

        >>> from gossip.testing.blocking import FakeNode
        >>> node = FakeNode("me", members={"db-1": {"zone": "a"}, "db-2": {}})
        >>> with node.subscribe() as changes:
        ...     gone = node.member_died("db-1")
        ...     print(next(changes), next(changes), sep="\\n")
        <Snapshot of 3 members, 3 alive; connected, missed: 0>
        'db-1' died, 2 alive
        >>> node.update({"role": "leader"})
        >>> dict(node.updates[0])
        {'role': 'leader'}

    The test uses it as a :class:`gossip.testing.FakeNode`, in any thread. Times are those of :func:`time.monotonic`.
    """

    _called = "gossip.testing.blocking.FakeNode"

    def __init__(
        self,
        name: str = "me",
        members: Mapping[str, Mapping[str, str]] | Iterable[str] = (),
        *,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> None:
        """:param name: of the node itself.

        :param members: the others, all alive: their names, or the metadata of each by its name.
        :param metadata: of the node itself.
        :raises ConfigurationError: if an argument is malformed.
        """
        # Not that of Node, which closes the node when Python exits.
        HeldFake.__init__(self, name, members, metadata)
        Reading.__init__(self, self._turns)

    def joined(self, timeout: float | None = None) -> None:
        """Wait until the test says that this node is connected, which it is at first."""
        require_patience(timeout)
        with contextlib.suppress(TimeoutError):
            self.until(lambda node: has_joined_or_left(node.standing), timeout)
        super().joined(timeout)
