"""Every setting of the protocol: what it is, its default, and what choosing otherwise costs.

All times are in seconds. Nodes of one cluster should share one profile; the step of the heartbeat
counter is a constant of the protocol (:data:`gossip.core.state.heartbeat.HEARTBEAT_STEP_S`), so nodes with
different profiles still understand each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from gossip.core.errors import ConfigurationError
from gossip.core.support.arguments import given, wrong
from gossip.core.support.text import is_printable

MIN_MAX_DATAGRAM = 576
"""Smallest ``max_datagram``: every IPv4 host must take a packet of this size (RFC 791); one record,
one accusation and a header always fit."""

MAX_MAX_DATAGRAM = 65_000
"""Largest ``max_datagram``: a UDP payload over IPv4 ends at 65,507 bytes."""

METADATA_ROOM = 320
"""Bytes that ``max_metadata`` must leave of ``max_datagram``, for the header, the name and the address."""

MAX_CLUSTER_BYTES = 128


def _between(low: float, high: float) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong(attribute.name, f"a number from {low:g} to {high:g}", value)
        if not low <= value <= high:
            raise ConfigurationError(f"{attribute.name} must be from {low:g} to {high:g}; this is {given(value)}")

    return check


def _whole(low: int, high: int) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    in_range = _between(low, high)

    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong(attribute.name, f"a whole number from {low} to {high}", value)
        in_range(instance, attribute, value)

    return check


def _cluster_name(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not is_printable(value) or not 1 <= len(value.encode()) <= MAX_CLUSTER_BYTES:
        raise wrong(attribute.name, f"a printable text of 1 to {MAX_CLUSTER_BYTES} bytes", value)


@attrs.frozen(kw_only=True)
class Config:
    """The settings of one node. Start from a profile: ``Config.lan()``, ``.wan()`` or ``.local()``.

    :raises ConfigurationError: if a value is out of range or contradicts another; names the field.
    """

    cluster: str = attrs.field(default="default", validator=_cluster_name)
    """Name of the cluster. Nodes ignore (and count) datagrams of another cluster, so two clusters that
    are given each other's seeds stay apart."""

    probe_interval: float = attrs.field(default=1.0, validator=_between(0.01, 600))
    """Time between two exchanges that this node starts. Detection time and traffic are both
    proportional to it, in opposite directions."""

    ack_timeout_initial: float = attrs.field(default=0.2, validator=_between(0.001, 60))
    """How long to wait for an answer while no round trip has been measured yet."""

    ack_timeout_min: float = attrs.field(default=0.1, validator=_between(0.001, 60))
    """Floor of the measured timeout (smoothed round trip + 4 deviations). Lower finds the dead sooner,
    and mistakes a busy process for a lost packet more often."""

    ack_timeout_max: float = attrs.field(default=0.5, validator=_between(0.001, 60))
    """Ceiling of the measured timeout, before local health stretches it."""

    indirect_probes: int = attrs.field(default=3, validator=_whole(0, 16))
    """Helpers asked to probe a member that did not answer. 3 gets through 25 % loss almost always."""

    watch_delay: float = attrs.field(default=0.25, validator=_between(0.001, 60))
    """Pause between a first failed probe and the second, private one. Nothing is told to anyone before
    the second has failed too: at heavy loss that alone removes most false suspicions."""

    suspicion_min: float = attrs.field(default=1.6, validator=_between(0.01, 3600))
    """How long a suspected member has to refute once enough independent members accuse it. A process
    that freezes for less than about this long is never declared dead."""

    suspicion_max: float = attrs.field(default=6.0, validator=_between(0.01, 3600))
    """How long a suspected member has to refute when a single member accuses it."""

    confirmations: int = attrs.field(default=2, validator=_whole(1, 8))
    """Accusers beyond the first after which the suspicion lasts only ``suspicion_min``."""

    max_helped: int = attrs.field(default=64, validator=_whole(1, 100_000))
    """Requests to ask a member for somebody else that are served at once; further ones are refused and counted. Each
    takes two small pings; 64 are more than come at once where every other datagram is lost."""

    max_helped_per_source: int = attrs.field(default=8, validator=_whole(1, 100_000))
    """How many of them may come from one address, so that none takes the place of the others. A node asks the same
    helper about several members only where many fail at once; it has others to ask, too."""

    witnesses: float = attrs.field(default=5.0, validator=_between(0, 64))
    """Expected number of random members that probe a suspect over their own paths."""

    push_fanout: int = attrs.field(default=6, validator=_whole(0, 16))
    """Members to whom news is pushed at once by each node that hears it first: all know after log(members) to
    this base, rounded up. 6 miss hardly anybody at 25 % loss; 0 leaves news to riding on other messages."""

    push_delay: float = attrs.field(default=0.003, validator=_between(0, 10))
    """Least time between two pushes, so that a burst of news shares datagrams. News after a quiet time is pushed at
    once."""

    push_rate: float = attrs.field(default=16.0, validator=_between(0.1, 100_000))
    """Pushed datagrams a second that one node may send in the long run. When the budget is spent, news
    waits and merges; it is not lost."""

    push_burst: int = attrs.field(default=64, validator=_whole(1, 100_000))
    """Pushed datagrams that may be sent at once after a quiet time."""

    reconcile_after: float = attrs.field(default=1.0, validator=_between(0.01, 600))
    """How long two views may differ, with no news under way, before they are compared in detail."""

    max_datagram: int = attrs.field(default=1200, validator=_whole(MIN_MAX_DATAGRAM, MAX_MAX_DATAGRAM))
    """No datagram of ours is larger than this many bytes. 1200 passes every path that carries QUIC (RFC 9000).
    One of more than 8,972 is taken only by members whose own setting allows as much."""

    max_metadata: int = attrs.field(default=512, validator=_whole(0, 16_384))
    """Encoded bytes of metadata a member may have; larger is refused, ours and others' alike."""

    max_members: int = attrs.field(default=10_000, validator=_whole(2, 1_000_000))
    """Members kept, the dead included. Further ones are refused and counted. Each takes 2 to 3 KB, with what is
    cached of it."""

    max_new_members_per_source: int = attrs.field(default=500, validator=_whole(1, 1_000_000))
    """Members per second that are heard of for the first time from any one host; four times as many at once. One
    that is refused is found when views are compared. The default hinders nobody: 2,000 at once is twice what has
    been seen to join together behind one address. It makes whoever invents members from one address take twenty
    seconds to fill a view. Where each host runs one member, 50 do; below the number of members on a host or
    behind a translated address, they take seconds to come in."""

    max_rumours: int = attrs.field(default=4096, validator=_whole(16, 1_000_000))
    """Members of whom there is news under way at once; the oldest news gives way, and comparing views finds it. Each
    takes some 250 bytes, and all are gone through for each message, which is what more would cost."""

    max_probes: int = attrs.field(default=4096, validator=_whole(128, 1_000_000))
    """Members being asked at once, for this node and for others; further probes wait their turn. Each sends up to
    half a dozen messages and takes 2.5 KB. Only when thousands are suspected at once is there more to ask; fewer
    delay the convictions then."""

    max_streams: int = attrs.field(default=256, validator=_whole(4, 65_536))
    """TCP streams at once in both directions, of which others may open three quarters. Each may hold a frame or two
    (64 KiB) in memory, and a file descriptor. With fewer, more of those that join at once have to ask another
    member for their copy of the view."""

    max_streams_per_source: int = attrs.field(default=144, validator=_whole(1, 65_536))
    """TCP streams at once that any one host may open. The default is three quarters of what all may: 128 that join
    from one machine find a place, and whoever takes all he can leaves a quarter to the rest. Where each host runs
    one member, 8 do; whoever finds no place asks another member."""

    stream_timeout: float = attrs.field(default=15.0, validator=_between(0.1, 3600))
    """No stream lives longer than this, however busy: a peer that trickles is cut off. A view of 10,000 members at
    their largest takes 6 s at 10 Mbit/s; over slower links, or with more members, more is needed."""

    stream_idle_timeout: float = attrs.field(default=5.0, validator=_between(0.05, 3600))
    """A stream on which nothing could be read or written for this long is cut. Enough for TCP to
    send a lost packet twice more; less frees the places of silent peers sooner, and gives up on bad networks."""

    max_stream_bytes: int = attrs.field(default=64 << 20, validator=_whole(1 << 17, 1 << 34))
    """Bytes of one stream in each direction; a stream with more is cut. The default holds 100,000 members at their
    largest; less must still hold ``max_members`` of the size they have, or nobody gets a whole copy."""

    forget_after: float = attrs.field(default=3600.0, validator=_between(1, 10_000_000))
    """How long the dead are remembered, gossiped and tried again, so that a healed partition finds
    itself. For as long again, a tombstone keeps stale news from resurrecting them."""

    heal_probability: float = attrs.field(default=0.1, validator=_between(0, 0.5))
    """Chance, in each round, to contact a dead member or an absent seed; it grows with the share of
    the dead up to one half."""

    join_backoff_max: float = attrs.field(default=15.0, validator=_between(0.1, 3600))
    """Longest pause between two attempts to reach the seeds while this node is alone."""

    leave_timeout: float = attrs.field(default=2.0, validator=_between(0.01, 60))
    """How long a leaving node waits for its farewell to be acknowledged."""

    leave_acknowledgements: int = attrs.field(default=3, validator=_whole(1, 16))
    """Members that must acknowledge a farewell before the node is content to go."""

    def __attrs_post_init__(self) -> None:
        if not self.ack_timeout_min <= self.ack_timeout_initial <= self.ack_timeout_max:
            raise ConfigurationError(
                "ack_timeout_initial must lie between ack_timeout_min and ack_timeout_max, but "
                f"{self.ack_timeout_min:g} <= {self.ack_timeout_initial:g} <= {self.ack_timeout_max:g} does not hold"
            )
        if self.suspicion_min < 2 * self.ack_timeout_max:
            raise ConfigurationError(
                f"suspicion_min ({self.suspicion_min:g}) must be at least twice ack_timeout_max "
                f"({self.ack_timeout_max:g}): a suspect must have time for a round trip to refute"
            )
        if self.suspicion_max < self.suspicion_min:
            raise ConfigurationError(
                f"suspicion_max ({self.suspicion_max:g}) must not be below suspicion_min ({self.suspicion_min:g})"
            )
        if self.stream_idle_timeout > self.stream_timeout:
            raise ConfigurationError(
                f"stream_idle_timeout ({self.stream_idle_timeout:g}) must not be above stream_timeout "
                f"({self.stream_timeout:g}), after which every stream is cut"
            )
        if self.max_metadata + METADATA_ROOM > self.max_datagram:
            raise ConfigurationError(
                f"max_metadata ({self.max_metadata}) must leave {METADATA_ROOM} bytes of max_datagram "
                f"({self.max_datagram}) for the header, the name and the address"
            )

    @classmethod
    def lan(cls, **changes: Any) -> Config:
        """One data centre or one office: round trips of a few milliseconds."""
        return cls(**changes)

    @classmethod
    def wan(cls, **changes: Any) -> Config:
        """Across regions: round trips up to about a second, some loss."""
        return cls(
            **{
                "probe_interval": 2.0,
                "ack_timeout_initial": 1.0,
                "ack_timeout_min": 0.3,
                "ack_timeout_max": 2.0,
                "watch_delay": 0.5,
                "suspicion_min": 5.0,
                "suspicion_max": 20.0,
                "push_delay": 0.01,
                "reconcile_after": 3.0,
                "leave_timeout": 2.5,
            }
            | changes
        )

    @classmethod
    def local(cls, **changes: Any) -> Config:
        """All nodes on one machine: round trips below a millisecond."""
        return cls(
            **{
                "probe_interval": 0.25,
                "ack_timeout_initial": 0.1,
                "ack_timeout_min": 0.05,
                "ack_timeout_max": 0.25,
                "watch_delay": 0.1,
                "suspicion_min": 0.8,
                "suspicion_max": 3.0,
                "reconcile_after": 0.3,
                "push_rate": 50.0,
            }
            | changes
        )


def given_config(config: Config | None) -> Config:
    """The settings that a program gave as ``config``, or the default.

    :raises ConfigurationError: if they are no :class:`Config`.
    """
    if config is None:
        return Config.lan()
    if not isinstance(config, Config):
        raise wrong("config", "a gossip.Config, such as Config.lan(cluster='blue')", config)
    return config


PROFILES: dict[str, Callable[..., Config]] = {"lan": Config.lan, "wan": Config.wan, "local": Config.local}
"""The presets by name, as the command line spells them."""
