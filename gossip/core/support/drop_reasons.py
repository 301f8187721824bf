"""Drop reasons: every reason for a drop, its log level, and what it means.

The documents generate their table of reasons from :class:`Drop`. A reason is always a constant text of this project and
never a text from a peer, so the number of reasons is small.
"""

from __future__ import annotations

import enum
import logging


class Drop(str, enum.Enum):
    """The reasons for drops. Each compares equal to its text.

    - ``meaning``: what the node dropped, for the documents, in reST.
    - ``hint``: what the log adds to a reason that says too little by itself; empty if it adds nothing.
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
        """The log level at which a drop for this reason is reported, as in :mod:`logging`."""
        return logging.INFO if self in _ROUTINE else logging.WARNING

    DAMAGED = (
        "damaged",
        "a message whose checksum is wrong: noise, a flipped bit, or no message of this protocol",
    )
    NOT_CBOR = (
        "not CBOR",
        "bytes that are not CBOR, are nested too deep, have an indefinite length, or contain a key twice",
    )
    TAG = (
        "tag",
        "a tagged value",
    )
    NOT_CANONICAL = (
        "not canonical",
        ("a value that is not in its one shortest form; bytes left over; a fact with metadata in another order"),
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
        "a message of another cluster; the log reports it once for each host, for 16 hosts at most",
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
            "a counter, floor, record or farewell that would make this node start a new generation, which it has "
            "done too often lately"
        ),
    )
    NUMBER_OUT_OF_RANGE = (
        "number out of range",
        "a message or fact with a value that is no number, or is too small or too large for its meaning",
    )
    BAD_ADDRESS = (
        "bad address",
        "a fact or ACK with an address that is not 6 or 18 bytes",
    )
    BAD_NAME = (
        "bad name",
        "a fact with a name that is empty, too long or not printable, or that begins or ends with a space",
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
        "a message with this node's own id: the node reached itself through a seed, or a sender repeats its message",
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
            "a new member whose generation lies too far ahead of this node's clock; the node tells it so, see "
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
            "a record with the address 0.0.0.0 or ``::``, or with port 0; or with a multicast address, which would "
            "send a member's datagrams to every machine that listens there; or with a link-local IPv6 address, "
            "which means a different machine on each link"
        ),
    )
    LOOPBACK_ADDRESS_OF_ANOTHER_MACHINE = (
        "loopback address of another machine",
        (
            "a record with a loopback address that comes from another machine, or that reaches a member whose own "
            "address is for other machines"
        ),
    )
    ANSWER_OF_ANOTHER_MEMBER = (
        "answer of another member",
        "an ACK from another member than the one that was asked; both announce the same address",
    )
    FROM_A_LINK_LOCAL_ADDRESS = (
        "from a link-local address",
        ("a datagram or stream from an IPv6 address to which a node can send only if it names an interface"),
    )
    SUPERSEDED_MEMBER = (
        "superseded member",
        "a record of an older holder of a name; the node tells its sender about the newer holder",
    )
    BURIED_MEMBER = (
        "buried member",
        "a record of a forgotten member that does not show that the member lives",
    )
    ID_OF_ANOTHER_MEMBER = (
        "id of another member",
        "a record under the id of a member with another name or a later generation",
    )
    VIEW_IS_FULL = (
        "view is full",
        "a new member, while the view is full and no member that is gone can make room",
    )
    TOO_MANY_NEW_MEMBERS = (
        "too many new members",
        "a new member from a source that has presented too many lately",
    )
    TOO_MANY_RUMOURS = (
        "too many rumours",
        "the oldest rumour; a comparison of views finds what it was about",
    )
    TOO_MANY_PROBES = (
        "too many probes",
        "nothing: a probe that waits for its turn counts each time it is put off",
    )
    TOO_MANY_REQUESTS_TO_HELP = (
        "too many requests to help",
        "a request to probe a member for another node while too many are served; the answer is a NACK",
    )
    TOO_MUCH_TO_SEND = (
        "too much to send",
        "a datagram of this node itself, while too many wait to be sent",
    )
    TOO_MANY_STREAMS = (
        "too many streams",
        "a stream that a peer opened while there were too many",
    )
    TOO_MANY_STREAMS_OF_ONE_SOURCE = (
        "too many streams of one source",
        "a stream of a peer that already had as many as one source may have",
    )
    NOT_SEALED = (
        "not sealed",
        "a datagram or stream without a seal, although this node has keys",
        "the sender does not have the cluster's keyring",
    )
    SEALED_TOO_SHORT = (
        "sealed, but too short",
        "a datagram that is shorter than an envelope",
    )
    UNKNOWN_KEY = (
        "sealed with an unknown key",
        "a datagram or stream that was sealed with a key that this node does not hold, or that no node holds",
        "the sender's key is not in this node's keyring",
    )
    FORGED_OR_OTHER_CLUSTER = (
        "of another cluster with this key, or forged",
        (
            "a datagram or frame that a node of another cluster sealed with the same key, that was forged without the "
            "key, that changed on its way, or that is out of place in its stream; the node cannot tell which"
        ),
        "the sender has another cluster name, or does not have this node's key",
    )
    REPLAYED = (
        "replayed",
        "a datagram that this node accepted before, or that is too old to know",
    )
    FRAME_OF_IMPOSSIBLE_LENGTH = (
        "frame of impossible length",
        "a stream that is not of this protocol",
    )
    FRAMES_AFTER_THE_LAST_ONE = (
        "frames after the last one",
        "a stream that continues after its last frame",
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
        "a record or farewell with a signature that is not its member's",
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
        "a stream on which nothing was sent or read for too long, or that lasted too long",
        "a peer opened a stream and did not send or read everything in time",
    )
    STREAM_TOO_LONG = (
        "stream too long",
        "a stream that carried too many bytes",
    )
    TOO_MUCH_UNREAD_ON_STREAMS = (
        "too much unread on streams",
        "a stream on which this node had something to send while peers left too much unread",
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
"""Reasons that also occur in a healthy cluster: members restart, are among their own seeds, or join or die in large
numbers."""
