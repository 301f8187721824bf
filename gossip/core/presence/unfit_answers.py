"""Unfit answers: messages of sought members that this node drops for a reason which people can mend."""

from __future__ import annotations

from collections.abc import Collection

from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.support.drops import Drops

UNFIT_ANSWERS = {
    Drop.UNKNOWN_KEY: ("answers come sealed with a key that is not ours; give this node the cluster's keyring"),
    Drop.FORGED_OR_OTHER_CLUSTER: (
        "answers come sealed for another cluster, or by somebody who has not our key; give both the same cluster name"
    ),
    Drop.NOT_SEALED: "answers come without a seal, and ours have one; give that member the cluster's keyring",
    Drop.OTHER_CLUSTER: "answers come from a cluster of another name; give both the same cluster name",
    Drop.UNKNOWN_VERSION: "answers come in another version of the protocol; run the same version everywhere",
    Drop.OUR_OWN_MESSAGE: "the only seed is this node itself; give it the address of another member, or no seeds",
}
"""What it means if the messages of a seed are dropped for one of these reasons, and what to do; the first that applies
is told."""


class UnfitAnswers:
    """Finds the unfit answers among the drops of one node."""

    def __init__(self, drops: Drops) -> None:
        self._drops = drops
        self._before: dict[Drop, int] = {}
        self.seen = 0
        """Drops of all kinds that were taken for what came while others were heard."""

    def note_all(self) -> None:
        """Take what was dropped so far for what came while others were heard."""
        self.seen = self._drops.total
        self._before = {reason: self._drops.counts[reason] for reason in UNFIT_ANSWERS}

    def of(self, sources: Collection[Address | None]) -> str:
        """What is wrong with the messages that came since others were last heard; empty if that is not known.

        :param sources: the addresses from which an answer may come; what others send says nothing.
        """
        for reason, meaning in UNFIT_ANSWERS.items():
            if reason == Drop.OUR_OWN_MESSAGE and len(sources) > 1:
                continue  # to be among one's own seeds is nothing wrong
            is_new = self._drops.counts[reason] > self._before.get(reason, 0)
            if is_new and self._drops.last_source[reason] in sources:
                return meaning
        return ""
