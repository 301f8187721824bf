"""Invariants: what must hold in every run, each a class of its own.

This room decides when a run is wrong. Most invariants check a few members each virtual second, in turn, and all members
at the end, so that checking is cheap even in a large cluster (``base``). Others check at each event. ``promises`` has
those that hold only if a plan says so.
"""

from __future__ import annotations

from .base import Invariant, Rounds, Violated
from .farewells import FarewellsAreAcknowledged
from .limits import DatagramsFit, EverythingIsBounded, bounds
from .promises import promised
from .registers import (
    CounterNeverRegresses,
    FingerprintIsTheView,
    NothingInvented,
    RegistersOnlyGrow,
    StatusFollowsRegisters,
)
from .returns import NoReturnOfTheDeparted, TheBuriedStayBuried, TheDeafDieOnce
from .told import ConflictsAreTold, EventsTellTheMembers, StandstillsAreTold
from .verdicts import NobodyIsConvictedUnasked, SuspectsHaveTime


def all_invariants() -> list[Invariant]:
    """A fresh instance of each invariant that holds in every run."""
    return [
        CounterNeverRegresses(),
        RegistersOnlyGrow(),
        NothingInvented(),
        NoReturnOfTheDeparted(),
        TheBuriedStayBuried(),
        TheDeafDieOnce(),
        StatusFollowsRegisters(),
        FingerprintIsTheView(),
        EventsTellTheMembers(),
        ConflictsAreTold(),
        StandstillsAreTold(),
        SuspectsHaveTime(),
        NobodyIsConvictedUnasked(),
        FarewellsAreAcknowledged(),
        DatagramsFit(),
        EverythingIsBounded(),
    ]


__all__ = [
    "ConflictsAreTold",
    "CounterNeverRegresses",
    "DatagramsFit",
    "EventsTellTheMembers",
    "EverythingIsBounded",
    "FarewellsAreAcknowledged",
    "FingerprintIsTheView",
    "Invariant",
    "NoReturnOfTheDeparted",
    "NobodyIsConvictedUnasked",
    "NothingInvented",
    "RegistersOnlyGrow",
    "Rounds",
    "StandstillsAreTold",
    "StatusFollowsRegisters",
    "SuspectsHaveTime",
    "TheBuriedStayBuried",
    "TheDeafDieOnce",
    "Violated",
    "all_invariants",
    "bounds",
    "promised",
]
