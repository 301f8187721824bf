"""Whether the nodes of a test agree on who lives, and if not, which of them sees what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from gossip.core.state.member import Member, Status
from gossip.core.state.node_standing import Standing
from gossip.node import Node


def disagreements(nodes: Sequence[Node], is_cut: Callable[[str, str], bool]) -> Iterator[str]:
    """What is not yet as it should be, a sentence for each; nothing if all nodes agree.

    Nodes that reach each other agree if each of them sees each of the others alive with its latest record, and nobody
    else living. A node that reaches no other may guess.

    :param nodes: those that run.
    :param is_cut: whether nothing passes between two nodes, by their names.
    """
    present = [node for node in nodes if node.local.status.is_living]
    for node in present:
        name = node.local.name
        reached = {other.local.name: other for other in present if not is_cut(name, other.local.name)}
        if len(reached) == 1 and node.standing.standing in (Standing.ISOLATED, Standing.JOINING):
            continue
        if node.standing.standing is not Standing.CONNECTED:
            yield f"{name} is {node.standing}"
        yield from _unknown(node, reached.values())
        yield from _left_over(node, {other.local.id for other in reached.values()})


def _unknown(node: Node, others: Iterable[Node]) -> Iterator[str]:
    for other in others:
        known, actual = node.get(other.local.name), other.local
        if known is None:
            yield f"{node.local.name} does not know {actual.name}"
        elif known.id != actual.id:
            yield f"{node.local.name} knows an earlier process of {actual.name}, which is {known.status.value}"
        elif known.status is not Status.ALIVE:
            yield f"{node.local.name} sees {actual.name} {known.status.value}"
        elif known.version != actual.version:
            yield f"{node.local.name} does not know the latest metadata of {actual.name}"


def _left_over(node: Node, living: set[int]) -> Iterator[str]:
    left_over: list[Member] = [each for each in node.members() if each.status.is_living and each.id not in living]
    for member in left_over:
        yield f"{node.local.name} still sees {member.name} {member.status.value}"
