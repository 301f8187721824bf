"""Why something is dropped: every reason, how loud it is in the log, and what it means.

The table of reasons in the documents is made from :class:`Drop`. A reason is a constant text of this project, never a
peer's, so there are few of them.
"""

from __future__ import annotations

import enum
import logging


class Drop(str, enum.Enum):
    """The reasons for which something is dropped. Each is equal to its text.

    - ``meaning``: what was dropped, for the documents, in reST.
    - ``hint``: what the log adds to a reason that says little by itself; empty if it adds nothing.
    """

    meaning: str
    hint: str

    def __new__(cls, text: str, meaning: str, hint: str = "") -> Drop:
        """A reason with its text."""
        drop = str.__new__(cls, text)
        drop._value_ = text
        drop.meaning, drop.hint = meaning, hint
        return drop

    def __str__(self) -> str:
        return str.__str__(self)

    @property
    def level(self) -> int:
        """How the log tells of it: a level of :mod:`logging`."""
        return logging.INFO if self in _ROUTINE else logging.WARNING

    DAMAGED = (
        "damaged",
        "a message whose checksum is wrong: noise, a flipped bit, or no message of this protocol",
    )
    NOT_CBOR = (
        "not CBOR",
        "what no decoder takes, or what is nested too deep, of indefinite length, or has a key twice",
    )
    TAG = (
        "tag",
        "a tagged value",
    )
    NOT_CANONICAL = (
        "not canonical",
        ("a value in other than its one shortest form, bytes left over; a fact with metadata in another order"),
    )
    TOO_LARGE = (
        "too large",
        (
            "a message of more than 65,536 bytes, or a datagram larger than any member sends (8,972 bytes, or "
            "``max_datagram`` if that is more)"
        ),
    )
    UNKNOWN_VERSION = (
        "unknown version",
        "a message of another version of the protocol",
    )
    OTHER_CLUSTER = (
        "other cluster",
        "a message of another cluster; told once for each host, of 16 hosts at most",
    )
    UNKNOWN_KIND = (
        "unknown kind",
        "a message of a kind that is not known",
    )
    UNKNOWN_FACT = (
        "unknown fact",
        "a fact whose code is not known",
    )
    WRONG_SHAPE = (
        "wrong shape",
        "a message, fact or body with too many or too few items, or items of the wrong type",
    )
    TOO_MANY_NEW_GENERATIONS = (
        "too many new generations",
        (
            "a counter, floor, record or farewell for which this node would start a new generation, as it has "
            "done just now"
        ),
    )
    NUMBER_OUT_OF_RANGE = (
        "number out of range",
        "a message or fact with a number that is none, or too small or too large for what it stands for",
    )
    BAD_ADDRESS = (
        "bad address",
        "a fact or ACK with an address that is not 6 or 18 bytes",
    )
    BAD_NAME = (
        "bad name",
        "a fact with a name that is empty, too long, not printable, or has space at an end",
    )
    BAD_METADATA = (
        "bad metadata",
        "a fact with metadata that is no map of texts to texts",
    )
    TOO_MANY_ACCUSERS = (
        "too many accusers",
        "a fact that names more than four accusers",
    )
    TOO_MANY_BAD_FACTS = (
        "too many bad facts",
        "a message with more than 64 facts that are not valid",
    )
    OUR_OWN_MESSAGE = (
        "our own message",
        "a message under this node's own id: it reached itself through a seed, or a sender repeats it",
    )
    COUNTER_AHEAD_OF_TIME = (
        "counter ahead of time",
        "a counter that lies too far ahead of time to be true",
    )
    FLOOR_AHEAD_OF_TIME = (
        "floor ahead of time",
        "a floor that lies too far ahead of time to be true",
    )
    GENERATION_FROM_THE_FUTURE = (
        "generation from the future",
        (
            "a new member whose generation lies too far ahead of this node's clock; it is told, see "
            ":ref:`clocks-that-are-wrong-by-years`"
        ),
    )
    METADATA_TOO_LARGE = (
        "metadata too large",
        "a record with more metadata than this node takes",
    )
    ADDRESS_NOBODY_CAN_SEND_TO = (
        "address nobody can send to",
        (
            "a record with the address 0.0.0.0 or ``::``, or port 0, or a multicast address, by which one "
            "record would bring every machine that listens there what its member gets; or an IPv6 address "
            "that is link-local, and means another machine on each link"
        ),
    )
    LOOPBACK_ADDRESS_OF_ANOTHER_MACHINE = (
        "loopback address of another machine",
        (
            "a record with a loopback address that comes from another machine, or is told to a member that is "
            "announced at an address for other machines"
        ),
    )
    ANSWER_OF_ANOTHER_MEMBER = (
        "answer of another member",
        "an ACK to a question that was meant for another member, at the address that both announce",
    )
    FROM_A_LINK_LOCAL_ADDRESS = (
        "from a link-local address",
        ("a datagram or stream from an IPv6 address that nothing can be sent to without naming an interface"),
    )
    SUPERSEDED_MEMBER = (
        "superseded member",
        "a record of an older holder of a name; its sender is told of the newer one",
    )
    BURIED_MEMBER = (
        "buried member",
        "a record of a member that was forgotten, and does not show that it lives",
    )
    ID_OF_ANOTHER_MEMBER = (
        "id of another member",
        "a record under the id of a member with another name or a later generation",
    )
    VIEW_IS_FULL = (
        "view is full",
        "a new member for which no member that is gone makes room",
    )
    TOO_MANY_NEW_MEMBERS = (
        "too many new members",
        "a new member of a source that has presented too many of late",
    )
    TOO_MANY_RUMOURS = (
        "too many rumours",
        "the oldest rumour; comparing views finds what it was about",
    )
    TOO_MANY_PROBES = (
        "too many probes",
        "nothing: a probe that waits its turn, counted each time it is put off",
    )
    TOO_MANY_REQUESTS_TO_HELP = (
        "too many requests to help",
        "a request to ask a member for somebody else while too many are served; it is answered by a NACK",
    )
    TOO_MUCH_TO_SEND = (
        "too much to send",
        "a datagram of this node's own",
    )
    TOO_MANY_STREAMS = (
        "too many streams",
        "a stream that a peer opened while there were too many",
    )
    TOO_MANY_STREAMS_OF_ONE_SOURCE = (
        "too many streams of one source",
        "a stream of a peer that had as many as one source may have",
    )
    NOT_SEALED = (
        "not sealed",
        "a datagram or stream as nodes without keys send it, where there are keys",
        "somebody without the cluster's keyring",
    )
    SEALED_TOO_SHORT = (
        "sealed, but too short",
        "a datagram that is shorter than an envelope",
    )
    UNKNOWN_KEY = (
        "sealed with an unknown key",
        "a datagram or stream made with a key that this node does not hold, or that no node holds",
        "somebody whose key is not ours",
    )
    FORGED_OR_OTHER_CLUSTER = (
        "of another cluster with this key, or forged",
        (
            "a datagram or frame that a node of another cluster made with the same key, or that was not made "
            "by a holder of the key, or changed on its way, or is out of its place in a stream; which, cannot "
            "be told"
        ),
        "somebody with another cluster name, or without our key",
    )
    REPLAYED = (
        "replayed",
        "a datagram that was let through before, or is so old that this cannot be told",
    )
    FRAME_OF_IMPOSSIBLE_LENGTH = (
        "frame of impossible length",
        "a stream of something else",
    )
    FRAMES_AFTER_THE_LAST_ONE = (
        "frames after the last one",
        "a stream that goes on after its end",
    )
    RECORD_NOT_SIGNED = (
        "record not signed",
        "a record without a signature, where identities are signed",
    )
    FAREWELL_NOT_SIGNED = (
        "farewell not signed",
        "a farewell without a signature, where identities are signed",
    )
    FORGED_SIGNATURE = (
        "forged signature",
        "a record or farewell that its member did not sign",
    )
    NAME_OF_ANOTHER_KEY = (
        "name of another key",
        "a record whose name or id belongs to another key, or whose name is not allowed for its key",
    )
    BAD_KEY_OR_SIGNATURE = (
        "bad key or signature",
        "a fact with a key or signature of another length",
    )
    STREAM_OUT_OF_TIME = (
        "stream out of time",
        "a stream on which nothing moved for too long, or that lasted too long",
        "a peer opened a stream and did not send or read everything in time",
    )
    STREAM_TOO_LONG = (
        "stream too long",
        "a stream that carried too many bytes",
    )
    TOO_MUCH_UNREAD_ON_STREAMS = (
        "too much unread on streams",
        "a stream to which something was to be written while peers left too much unread",
    )


_ROUTINE = frozenset(
    {
        Drop.BURIED_MEMBER,
        Drop.OUR_OWN_MESSAGE,
        Drop.SUPERSEDED_MEMBER,
        Drop.TOO_MANY_PROBES,
        Drop.TOO_MANY_REQUESTS_TO_HELP,
        Drop.TOO_MANY_RUMOURS,
        Drop.TOO_MANY_STREAMS,
        Drop.TOO_MUCH_TO_SEND,
    }
)
"""What a healthy cluster drops, too, where members restart, are among their own seeds, or join or die in numbers."""
