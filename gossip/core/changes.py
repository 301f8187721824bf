"""Changes: tells each change of the view to the embedding program, and spreads it to the other members."""

from __future__ import annotations

from gossip.core.dissemination.push import Dissemination
from gossip.core.journal import Journal
from gossip.core.state.entry import Change
from gossip.core.state.view import View


class Changes:
    """Passes changes on, each to the journal and to dissemination."""

    def __init__(self, view: View, journal: Journal, dissemination: Dissemination) -> None:
        self._view = view
        self._journal = journal
        self._dissemination = dissemination

    def make_known(self, change: Change, told_by: int, now: float, *, spread: bool = True) -> None:
        """Pass on what has changed about a member.

        :param told_by: id of the member that told this node, which need not be told; 0 for this node's own findings.
        :param spread: whether others should hear of it.
        """
        entry = change.entry
        for forgotten in change.forgotten:
            self._journal.note_forgotten(forgotten, now)
        if entry is not self._view.local or change.updated:
            self._journal.note(change, now)
        if spread:
            record = change.updated
            self._dissemination.spread(entry, told_by, now, record=record, liveness=not record)
