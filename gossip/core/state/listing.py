"""The members as a program sees them: by name, each with its status, in any thread.

The view changes in one thread only, and other threads may read this listing at any moment. So each answer is made of
values that were read once, and what changes in between shows in the next answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

import attrs

from gossip.core.state.entry import Entry
from gossip.core.state.member import Member, Status

_name = attrgetter("name")


class Listing:
    """All members of one view by name."""

    def __init__(self, holders: Mapping[str, Entry], own: Callable[[], tuple[Entry, bool]]) -> None:
        """A listing of these members.

        :param holders: the present holder of each name; the view goes on to change it.
        :param own: this node's own entry, and whether another process holds its name.
        """
        self._holders = holders
        self._own = own
        self._changes = 0
        self._members: tuple[int, tuple[Member, ...]] = (-1, ())
        """What was made last, and after how many changes."""

    def outdate(self) -> None:
        """Take note that the view has changed."""
        self._changes += 1

    @property
    def local(self) -> Member:
        """This node's own member, with the status ``DISPLACED`` while another process holds its name."""
        return _own_member(*self._own())

    def members(self) -> tuple[Member, ...]:
        """All members: this node, the dead and those that left are among them.

        It is the same tuple until something changes. Each member is as it was at one moment, and a change that was
        complete before the call shows.
        """
        changes = self._changes  # read first: what changes from now on makes the tuple outdated
        made_after, members = self._members
        if made_after != changes:
            own, is_displaced = self._own()
            hidden = None if is_displaced else own.identity.name  # its last holder, until this node has taken its place
            holders = [each for each in list(self._holders.values()) if each is not own]
            others = [each.snapshot() for each in holders if each.identity.name != hidden]
            members = _by_name(_own_member(own, is_displaced), others)
            self._members = (changes, members)
        return members

    def with_local(self, others: Sequence[Member]) -> tuple[Member, ...]:
        """These members and this node's own."""
        return _by_name(self.local, others)


def _own_member(own: Entry, is_displaced: bool) -> Member:
    member = own.snapshot()
    return attrs.evolve(member, status=Status.DISPLACED) if is_displaced and member.status.is_living else member


def _by_name(local: Member, others: Sequence[Member]) -> tuple[Member, ...]:
    return tuple(sorted([local, *others], key=_name))
