"""A node without any protocol, whose members a unit test sets by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import trio

from gossip.core.detection.evidence import Explanation
from gossip.core.state.local import NO_METADATA
from gossip.node import Node
from gossip.security import Keyring
from gossip.testing.faked import Faked


class FakeNode(Faked, Node):
    """A :class:`gossip.Node` without any protocol, for unit tests: a test says what its members do. ::

        >>> from gossip.testing import FakeNode
        >>> node = FakeNode("me", members={"db-1": {"zone": "a"}, "db-2": {}})
        >>> gone = node.member_died("db-1")
        >>> [(member.name, member.status.value) for member in node.members()]
        [('db-1', 'dead'), ('db-2', 'alive'), ('me', 'alive')]

    Each method that begins with ``member_`` says that something has happened to another member. It changes what the
    node answers, and tells the subscriptions and ``until()`` of it, as a real node would. What the program under test
    does to the node is kept in ``updates``, ``keyrings`` and ``has_left``.

    It opens no socket. Its questions, its ``update()`` and all methods of the test work whether trio runs or not; what
    has to be awaited works where trio runs. Times are those of the clock of trio, and 0 where trio does not run.
    """

    _called = "gossip.testing.FakeNode"

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
        # Not that of Node, whose parts this class has no use for. A test sees to it that all of Node works without it.
        Faked.__init__(self, name, members, metadata=metadata)
        self._steps = 0
        self._next_step: trio.Event | None = None

    def close(self) -> None:
        """The block of the node has ended."""
        self._close()

    def explain(self, name: str) -> Explanation | None:
        """What the test has put into ``explanations``, or None.

        :raises ConfigurationError: if ``name`` is no text.
        """
        return self._explain(name)

    def update(self, metadata: Mapping[str, str]) -> None:
        """Replace this node's metadata, and keep it in ``updates``.

        :raises ConfigurationError: if it is too large or no mapping of texts to texts.
        :raises LeftError: after ``leave()``.
        :raises DisplacedError: while the test says that another process bears this node's name.
        :raises ClosedError: after ``close()``.
        """
        self._update(metadata)

    def use_keyring(self, keyring: Keyring) -> None:
        """Keep the keys in ``keyrings``.

        :raises ConfigurationError: if it is no keyring, or the node has no keys: the test gives it some by setting
            ``keyring``.
        :raises ClosedError: after ``close()``.
        """
        self._use_keyring(keyring)

    async def leave(self) -> tuple[str, ...]:
        """Say farewell, which all living members acknowledge at once.

        :returns: the names of these members.
        :raises ClosedError: after ``close()``.
        """
        self._require_open()
        await trio.lowlevel.checkpoint()
        return self._leave()

    def _stepped(self) -> None:
        Node._stepped(self)

    def _now(self) -> float:
        try:
            return trio.current_time()
        except RuntimeError:
            return 0.0
