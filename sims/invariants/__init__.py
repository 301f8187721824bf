"""Invariants: what must hold of every run, whatever happens in it, each as a class of its own.

Most are checked a part at a time, once a virtual second, so that checking costs little even in a large
cluster: each second some members are gone through, in turn, and all of them at the end. Others are checked with each
event.
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
    """A fresh one of each that holds of every run, whatever its plan."""
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
