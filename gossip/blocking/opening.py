"""The block, or the two calls, between which a program without an event loop has a node open."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import final

from gossip import forking
from gossip.blocking.node import Node
from gossip.blocking.waiting import wait_until_open
from gossip.core.config import Config
from gossip.core.state.local import NO_METADATA
from gossip.core.support.address import Address
from gossip.facade import Held, Isolation, opening
from gossip.node import DEFAULT_BIND, Inside
from gossip.security import Keyring, MutualTLS, SigningKey

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup


def open_node(
    name: str,
    *,
    bind: str | Address = DEFAULT_BIND,
    advertise: str | Address | None = None,
    seeds: Iterable[str | Address] = (),
    metadata: Mapping[str, str] = NO_METADATA,
    config: Config | None = None,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
    insecure: bool = False,
    identity: SigningKey | None = None,
    allowed: Mapping[str, bytes] | None = None,
    isolation: Isolation = "thread",
) -> Opening:
    """Be a member of a cluster for as long as the ``with`` block runs, or from ``start()`` to ``close()``.

    The arguments, and the errors that they may cause, are those of :func:`gossip.open_node`; there is one more. Closing
    a node says no farewell, as on trio; call :meth:`Node.leave` before that. If the node fails, what is called next
    raises the failure, and so does the end of the block.

    >>> import gossip.blocking
    >>> with gossip.blocking.open_node("ada", bind="127.0.0.1:0") as node:
    ...     node.joined(timeout=10)
    ...     print(node.local.name, node.alive)
    ...     acknowledged_by = node.leave()
    ada 1

    :param isolation: where the node runs: in a ``"thread"`` of this process, or in a ``"process"`` of its own, which
        nothing that this program does can stop.
    """
    return Opening(
        name,
        opening(
            name,
            isolation,
            {
                "bind": bind,
                "advertise": advertise,
                "seeds": seeds,
                "metadata": metadata,
                "config": config,
                "keyring": keyring,
                "tls": tls,
                "insecure": insecure,
                "identity": identity,
                "allowed": allowed,
            },
        ),
    )


@final
class Opening(AbstractContextManager["Node"]):
    """A node that is to be opened, by ``with`` or by :meth:`start`. Made by :func:`open_node`.

    >>> import gossip.blocking
    >>> opening = gossip.blocking.open_node("ada", bind="127.0.0.1:0")
    >>> opening.start().alive
    1
    >>> opening.close()
    """

    def __init__(self, name: str, opening: Callable[[], AbstractAsyncContextManager[Inside]]) -> None:
        self._name = name
        self._opening = opening
        self._node: Node | None = None
        self._lock = threading.Lock()
        forking.register(self, Opening._take_new_lock)

    def _take_new_lock(self) -> None:
        """In a forked child, the lock may be held by a thread that is not there."""
        self._lock = threading.Lock()

    def start(self) -> Node:
        """Open the node, and return it once it runs. Called again, it returns the same node.

        For code without a ``with`` block. A node that is still open when the program ends is closed then.
        """
        with self._lock:
            if self._node is None:
                held = Held(f"node {self._name!r}", self._opening, "close() was called, or its with block has ended")
                wait_until_open(held)
                self._node = Node(held)
            return self._node

    def close(self) -> None:
        """Close the node, and return once nothing is left of it. Does nothing if there is none, or it is closed.

        :raises Exception: what the node has failed of, once.
        """
        with self._lock:
            if self._node is not None:
                self._node.close()

    def __enter__(self) -> Node:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._node is not None
        raise_failure(self._node._end(), error)


def raise_failure(failure: BaseException | None, error: BaseException | None) -> None:
    """At the end of a block, raise what has failed in the trio thread, if anything has.

    :param error: what the block itself raises.
    """
    if failure is None or failure is error:
        return
    if error is not None:
        raise BaseExceptionGroup("the block and its node failed", [failure, error])
    raise failure
