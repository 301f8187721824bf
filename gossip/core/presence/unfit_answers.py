"""Unfit answers: messages of sought members that this node drops for a reason that people can remove."""

from __future__ import annotations

from collections.abc import Collection

from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops

UNFIT_ANSWERS = {
    Drop.UNKNOWN_KEY: "answers are sealed with a key that this node does not have; give it the cluster's keyring",
    Drop.FORGED_OR_OTHER_CLUSTER: (
        "answers are sealed for another cluster, or forged without this node's key; give both nodes the same cluster "
        "name"
    ),
    Drop.NOT_SEALED: "answers have no seal, but this node has keys; give the member that answers the cluster's keyring",
    Drop.OTHER_CLUSTER: "answers come from a cluster with another name; give both nodes the same cluster name",
    Drop.UNKNOWN_VERSION: "answers come in another version of the protocol; run the same version everywhere",
    Drop.OUR_OWN_MESSAGE: "the only seed is this node itself; give it the address of another member, or no seeds",
}
"""What it means if a seed's messages are dropped for one of these reasons, and what to do. The first reason that
applies is reported."""


class UnfitAnswers:
    """Finds the unfit answers among the drops of one node."""

    def __init__(self, drops: Drops) -> None:
        self._drops = drops
        self._before: dict[Drop, int] = {}
        self.seen = 0
        """Number of drops of all kinds up to the last :meth:`note_all`."""

    def note_all(self) -> None:
        """Take note that all drops so far happened while this node heard others."""
        self.seen = self._drops.total
        self._before = {reason: self._drops.counts[reason] for reason in UNFIT_ANSWERS}

    def of(self, sources: Collection[Address | None]) -> str:
        """What is wrong with the messages that came since this node last heard others; empty if it does not know.

        :param sources: the addresses from which an answer may come; messages from elsewhere say nothing.
        """
        for reason, meaning in UNFIT_ANSWERS.items():
            if reason == Drop.OUR_OWN_MESSAGE and len(sources) > 1:
                continue  # a node may be among its own seeds
            is_new = self._drops.counts[reason] > self._before.get(reason, 0)
            if is_new and self._drops.last_source[reason] in sources:
                return meaning
        return ""
