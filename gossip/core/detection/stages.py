"""The stages of a member under scrutiny, and every way from one to the next, as one table.

A member has two stages at once, because two things go on independently. *Probing* is private: this node asks the
member, and nobody hears of it. *Suspicion* is public: another member or this node has accused the member, and the
member has to show a counter at or above the floor. A row of :data:`TABLE` says: in this stage, if this happens, this is
the next stage, and these actions follow. What is not in the table cannot happen.

The diagram in the documents is generated from this table. :mod:`gossip.core.detection.detector` reports what happens
and carries out the actions.

Sources: SWIM (Das, Gupta and Motivala 2002) for probes and suspicions; Lifeguard (Dadgar, Phillips and Currey 2017) for
the time that a suspect has. The second probe, the witnesses and the last probe are this project's own.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Stage(enum.Enum):
    """Where a member stands in this node's view.

    ``node.explain(name)`` has two of them, one for each of the two things that go on:

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0") as node:
    ...         why = node.explain("ada")
    ...         print(why.probing is gossip.Stage.NOT_PROBED, why.suspicion is gossip.Stage.UNSUSPECTED)
    >>> trio.run(main)
    True True
    """

    __hash__ = object.__hash__  # the hash of enum is a call in Python, and each round looks into the table twice

    # Probing: private.
    NOT_PROBED = "not probed"
    """This node asks nothing at the moment."""
    PROBED = "probed"
    """The probe of a round is under way."""
    DOUBTED = "doubted"
    """It did not answer. It is probed again soon, before anybody is told."""
    PROBED_AGAIN = "probed again"
    """The second probe is under way."""
    WITNESS_CALLED = "witness called"
    """Others suspect it. This node was drawn to find out for itself."""
    WITNESSED = "witnessed"
    """The probe as a witness is under way."""

    # Suspicion: public.
    UNSUSPECTED = "unsuspected"
    """Nobody accuses it."""
    SUSPECTED = "suspected"
    """Some member accuses it, and its time to refute is running."""
    CONDEMNED = "condemned"
    """Others have declared it dead so soon that this node gives it time to refute first."""
    LAST_PROBED = "last probed"
    """Its time is over. The last probe is under way."""


PROBING = (
    Stage.NOT_PROBED, Stage.PROBED, Stage.DOUBTED, Stage.PROBED_AGAIN, Stage.WITNESS_CALLED, Stage.WITNESSED
)  # fmt: skip
SUSPICION = (Stage.UNSUSPECTED, Stage.SUSPECTED, Stage.CONDEMNED, Stage.LAST_PROBED)


class Happening(enum.Enum):
    """What can happen to a member under scrutiny."""

    __hash__ = object.__hash__

    CHOSEN = "a round chose it"
    DRAWN = "this node was drawn as a witness"
    DUE = "the time of the stage is over"
    ANSWERED = "it answered"
    UNANSWERED = "it did not answer"
    UNHEARD = "it did not answer, and nobody else was heard either"
    GONE = "it died, left or was superseded, or this node left"
    ACCUSED = "this node accuses it"
    SUSPICION_HEARD = "others accuse it, or more of them do"
    CONVICTION_HEARD = "others declared it dead, and it had time to refute"
    EARLY_CONVICTION_HEARD = "others declared it dead, and it had no time to refute"
    ENDED = "its counter reached the floor, or it died, left or was superseded"


class Action(enum.Enum):
    """What this node does in consequence."""

    __hash__ = object.__hash__

    PROBE = "probe it"
    DISTRUST_OWN_HEALTH = "lower own health if no helper was heard"
    WAIT_TO_PROBE_AGAIN = "wait for watch_delay"
    COUNT_SILENCE = "count its silence from the question on"
    COUNT_SILENCE_ANEW = "count its silence from now on"
    PROBE_AGAIN = "probe it again"
    LOOK_AT_ONCE = "probe it without delay"
    PROBE_AS_WITNESS = "probe it as a witness"
    ACCUSE = "accuse it"
    SET_SUSPICION_TIMER = "set the suspicion timer"
    STOP_SUSPICION_TIMER = "stop the suspicion timer"
    START_SUSPICION_ANEW = "start the suspicion anew"
    PROBE_LAST = "probe it a last time"
    CONVICT = "declare it dead"


class Row(NamedTuple):
    """What follows when something happens in a stage."""

    next: Stage
    actions: tuple[Action, ...] = ()


TABLE: dict[tuple[Stage, Happening], Row] = {
    # A round: probe, doubt, probe again, accuse.
    (Stage.NOT_PROBED, Happening.CHOSEN): Row(Stage.PROBED, (Action.PROBE,)),
    (Stage.PROBED, Happening.ANSWERED): Row(Stage.NOT_PROBED),
    (Stage.PROBED, Happening.GONE): Row(Stage.NOT_PROBED),
    (Stage.PROBED, Happening.UNANSWERED): Row(
        Stage.DOUBTED, (Action.COUNT_SILENCE, Action.DISTRUST_OWN_HEALTH, Action.WAIT_TO_PROBE_AGAIN)
    ),
    (Stage.PROBED, Happening.UNHEARD): Row(
        Stage.DOUBTED, (Action.COUNT_SILENCE, Action.DISTRUST_OWN_HEALTH, Action.WAIT_TO_PROBE_AGAIN)
    ),
    (Stage.DOUBTED, Happening.DUE): Row(Stage.PROBED_AGAIN, (Action.PROBE_AGAIN,)),
    (Stage.DOUBTED, Happening.GONE): Row(Stage.NOT_PROBED),
    (Stage.PROBED_AGAIN, Happening.ANSWERED): Row(Stage.NOT_PROBED),
    (Stage.PROBED_AGAIN, Happening.GONE): Row(Stage.NOT_PROBED),
    (Stage.PROBED_AGAIN, Happening.UNANSWERED): Row(Stage.NOT_PROBED, (Action.ACCUSE,)),
    # Silence that may be this node's own fault does not count.
    (Stage.PROBED_AGAIN, Happening.UNHEARD): Row(
        Stage.DOUBTED, (Action.COUNT_SILENCE_ANEW, Action.WAIT_TO_PROBE_AGAIN)
    ),
    # A witness: one probe, accuse.
    (Stage.NOT_PROBED, Happening.DRAWN): Row(Stage.WITNESS_CALLED, (Action.LOOK_AT_ONCE,)),
    (Stage.WITNESS_CALLED, Happening.DUE): Row(Stage.WITNESSED, (Action.PROBE_AS_WITNESS,)),
    (Stage.WITNESS_CALLED, Happening.GONE): Row(Stage.NOT_PROBED),
    (Stage.WITNESSED, Happening.ANSWERED): Row(Stage.NOT_PROBED),
    (Stage.WITNESSED, Happening.GONE): Row(Stage.NOT_PROBED),
    (Stage.WITNESSED, Happening.UNANSWERED): Row(Stage.NOT_PROBED, (Action.COUNT_SILENCE, Action.ACCUSE)),
    (Stage.WITNESSED, Happening.UNHEARD): Row(Stage.DOUBTED, (Action.COUNT_SILENCE_ANEW, Action.WAIT_TO_PROBE_AGAIN)),
    # A suspicion: time to refute, one last probe, death.
    (Stage.UNSUSPECTED, Happening.ACCUSED): Row(Stage.SUSPECTED, (Action.SET_SUSPICION_TIMER,)),
    (Stage.UNSUSPECTED, Happening.SUSPICION_HEARD): Row(Stage.SUSPECTED, (Action.SET_SUSPICION_TIMER,)),
    (Stage.SUSPECTED, Happening.ACCUSED): Row(Stage.SUSPECTED, (Action.SET_SUSPICION_TIMER,)),
    (Stage.SUSPECTED, Happening.SUSPICION_HEARD): Row(Stage.SUSPECTED, (Action.SET_SUSPICION_TIMER,)),
    (Stage.SUSPECTED, Happening.ENDED): Row(Stage.UNSUSPECTED, (Action.STOP_SUSPICION_TIMER,)),
    (Stage.SUSPECTED, Happening.DUE): Row(Stage.LAST_PROBED, (Action.PROBE_LAST,)),
    (Stage.SUSPECTED, Happening.CONVICTION_HEARD): Row(Stage.SUSPECTED, (Action.CONVICT,)),
    (Stage.SUSPECTED, Happening.EARLY_CONVICTION_HEARD): Row(Stage.CONDEMNED, (Action.SET_SUSPICION_TIMER,)),
    (Stage.CONDEMNED, Happening.ACCUSED): Row(Stage.CONDEMNED, (Action.SET_SUSPICION_TIMER,)),
    (Stage.CONDEMNED, Happening.SUSPICION_HEARD): Row(Stage.CONDEMNED, (Action.SET_SUSPICION_TIMER,)),
    (Stage.CONDEMNED, Happening.ENDED): Row(Stage.UNSUSPECTED, (Action.STOP_SUSPICION_TIMER,)),
    (Stage.CONDEMNED, Happening.DUE): Row(Stage.LAST_PROBED, (Action.PROBE_LAST,)),
    (Stage.LAST_PROBED, Happening.ACCUSED): Row(Stage.LAST_PROBED),
    (Stage.LAST_PROBED, Happening.SUSPICION_HEARD): Row(Stage.LAST_PROBED),
    (Stage.LAST_PROBED, Happening.ENDED): Row(Stage.UNSUSPECTED),
    (Stage.LAST_PROBED, Happening.CONVICTION_HEARD): Row(Stage.LAST_PROBED, (Action.CONVICT,)),
    (Stage.LAST_PROBED, Happening.EARLY_CONVICTION_HEARD): Row(Stage.LAST_PROBED),
    # It lives but did not jump over the floor, because it refuses that floor.
    (Stage.LAST_PROBED, Happening.ANSWERED): Row(
        Stage.SUSPECTED, (Action.START_SUSPICION_ANEW, Action.SET_SUSPICION_TIMER)
    ),
    (Stage.LAST_PROBED, Happening.UNANSWERED): Row(Stage.LAST_PROBED, (Action.CONVICT,)),
}
"""All that can happen, and what follows."""
