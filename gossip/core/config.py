"""Every setting of the protocol: what it is, its default, and the price of another value.

All times are in seconds. The nodes of one cluster should share one profile. The step of the heartbeat counter is a
constant of the protocol (:data:`gossip.core.state.heartbeat.HEARTBEAT_STEP_S`), so nodes with different profiles still
understand each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import attrs

from gossip.core.errors import ConfigurationError
from gossip.core.support.arguments import given, nearest, wrong
from gossip.core.support.text import is_printable

MIN_MAX_DATAGRAM = 576
"""Smallest ``max_datagram``: every IPv4 host must accept a packet of this size (RFC 791). One record, one accusation
and a header always fit."""

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


def _names_unknown_settings(cls: type[Any]) -> type[Any]:
    """Make a settings class refuse an unknown setting with an error that suggests the nearest name."""
    generated = vars(cls)["__init__"]

    @wraps(generated)
    def checked(self: object, **settings: Any) -> None:
        known = [field.name for field in attrs.fields(cls)]
        for name in settings:
            if name not in known:
                raise ConfigurationError(
                    f"{name!r} is not a setting{nearest(name, known)}; help(gossip.Config) explains all settings"
                )
        generated(self, **settings)

    setattr(cls, "__init__", checked)  # noqa: B010 - to a type checker the signature stays as it was generated
    return cls


@_names_unknown_settings
@attrs.frozen(kw_only=True)
class Config:
    """The settings of one node. Start from a profile: ``Config.lan()``, ``.wan()`` or ``.local()``.

    >>> import gossip
    >>> config = gossip.Config.wan(cluster="blue", max_metadata=256)
    >>> config.cluster, config.probe_interval
    ('blue', 2.0)

    :param cluster: Name of the cluster, printable text of 1 to 128 bytes. A node drops and counts the datagrams of
        other clusters, so two clusters that have each other's seeds stay apart. The name prevents accidents; only
        keys keep enemies out.
    :param probe_interval: Seconds between two exchanges that this node starts. A longer interval sends less and
        finds the dead later; both are proportional to it.
    :param ack_timeout_initial: Seconds to wait for an answer while no round trip has been measured yet. Less finds
        a crash sooner after the start; more accuses fewer members on a slow path.
    :param ack_timeout_min: Lower limit, in seconds, of the measured timeout (smoothed round trip plus 4
        deviations). Less finds the dead sooner and mistakes a busy process for a lost packet more often.
    :param ack_timeout_max: Upper limit, in seconds, of the measured timeout, before local health stretches it. Less
        finds the dead sooner; more gives a slow path time to answer.
    :param indirect_probes: Number of helpers that the node asks to probe a member that did not answer. With 3, one
        of them gets through 25 % loss almost always. More helpers cost a few more packets per failed probe.
    :param watch_delay: Seconds between a first failed probe and the second, private one. The node tells nobody
        before the second probe fails, too: at heavy loss, this alone removes most false suspicions. Each crash is
        known later by this delay.
    :param suspicion_min: Seconds that a suspected member has to refute once enough independent members accuse it. They
        count from the first question that it did not answer. A process that freezes for less than about this time is
        never declared dead. If you add to the default, each crash is known later by as much; with less than the
        default, it is hardly known sooner.
    :param suspicion_max: Seconds that a suspected member has to refute when a single member accuses it. More
        forgives one accuser with a bad path; a crash that only one member notices is known later.
    :param confirmations: Number of accusers beyond the first after which the suspicion lasts only
        ``suspicion_min``. With more, a suspicion stays long until they are found.
    :param max_helped: Number of requests to probe a member for another node that are served at once; further
        requests are refused and counted. Each takes two small pings. 64 are more than arrive at once if every
        other datagram is lost.
    :param max_helped_per_source: Number of those requests that may come from one address, so that no address takes
        the places of the others. A node asks one helper about several members only if many fail at once, and then
        it has other helpers to ask.
    :param witnesses: Expected number of random members that probe a suspect over their own paths. With more, the
        accusers that shorten a suspicion are found sooner, and the suspect gets more pings.
    :param push_fanout: Number of members to which each node pushes news when it hears the news first. All members
        know after log(members) hops to this base, rounded up. At 25 % loss, 6 miss hardly anybody. Each node sends
        every piece of news that many times; with 0, news only travels on other messages.
    :param push_delay: Least time, in seconds, between two pushes, so that a burst of news shares datagrams. After a
        quiet time, the node pushes news at once. A longer delay saves datagrams and adds to each hop of a burst.
    :param push_rate: Pushed datagrams per second that one node may send in the long run. When the budget is spent,
        news waits and merges; none is lost.
    :param push_burst: Number of pushed datagrams that may be sent at once after a quiet time.
    :param reconcile_after: Seconds that two views may differ, with no news under way, before the nodes compare them
        in detail. Less settles differences sooner, and makes nodes compare views while news is still under way,
        mostly for nothing.
    :param max_datagram: Largest datagram, in bytes, that this node sends. 1200 passes every path that carries QUIC
        (RFC 9000); above that, some paths drop it. Other members take more than 8,972 bytes only if their own
        setting allows as much.
    :param max_metadata: Largest encoded metadata of a member, in bytes. The node refuses larger metadata, its own
        and that of others. With more, fewer pieces of news fit into a datagram.
    :param max_members: Number of members that the node keeps, the dead included; it refuses and counts further
        ones. Each takes 2 to 3 KB, including what is cached for it.
    :param max_new_members_per_source: Members per second that the node takes in as new from any one host; four
        times as many at once. The node finds a refused member when it compares views. The default hinders nobody:
        2,000 at once is twice as many as have been seen to join together behind one address. A host that invents
        members takes twenty seconds to fill a view. If each host runs one member, 50 are enough. If the value is
        below the number of members on a host, or behind a translated address, members take seconds to come in.
    :param max_rumours: Number of members about which news is under way at once. The oldest news gives way, and
        comparing views finds it. Each takes some 250 bytes, and the node goes through all of them for each message,
        so more cost more time.
    :param max_probes: Number of members that the node probes at once, for itself and for others; further probes wait
        for their turn. Each sends up to half a dozen messages and takes 2.5 KB. More are needed only if thousands are
        suspected at once; fewer delay the convictions then.
    :param max_streams: Number of TCP streams at once in both directions, of which others may open three quarters.
        Each may hold a frame or two (64 KiB) in memory, and a file descriptor. With fewer, more of the members that
        join at once have to ask another member for their copy of the view.
    :param max_streams_per_source: Number of TCP streams at once that any one host may open. The default is three
        quarters of what all hosts may open: 128 nodes that join from one machine find a place, and a host that
        takes all of its places leaves a quarter to the others. If each host runs one member, 8 are enough; a node
        that finds no place asks another member.
    :param stream_timeout: Seconds that a stream may last, however busy it is. A peer that only trickles bytes is cut
        off then. A view of 10,000 members at their largest takes 6 s at 10 Mbit/s; slower links or more members need
        more.
    :param stream_idle_timeout: Seconds without any byte read or written, after which a stream is cut. The default
        is enough for TCP to send a lost packet twice more. Less frees the places of silent peers sooner and gives
        up on bad networks.
    :param max_stream_bytes: Bytes of one stream in each direction; a stream with more is cut. The default holds
        100,000 members at their largest. A smaller limit must still hold ``max_members`` of the size they have, or
        no node gets a whole copy.
    :param forget_after: Seconds for which the node remembers the dead, gossips about them and contacts them now and
        then, so that the halves of a cut network find each other when it heals. For as long again, a tombstone
        keeps stale news from bringing them back. Less clears the list sooner; after a longer cut, the halves find
        each other only through seeds.
    :param heal_probability: Chance, in each round, to contact a dead member or an absent seed. It grows with the
        share of the dead up to one half. With more, the halves of a cut cluster find each other sooner, and the
        node pings more members that are not there.
    :param join_backoff_max: Longest pause, in seconds, between two attempts to reach the seeds while this node is
        alone. More sends less to seeds that are down, and finds them later when they return.
    :param leave_timeout: Seconds that a leaving node waits for its farewell to be acknowledged.
    :param leave_acknowledgements: Number of members that must acknowledge a farewell before the node stops waiting.
        With more, a farewell survives loss more surely, and the node waits longer.
    :raises ConfigurationError: if a setting does not exist, or a value is out of range or contradicts another one; the
        text names the setting.
    """

    cluster: str = attrs.field(default="default", validator=_cluster_name)
    probe_interval: float = attrs.field(default=1.0, validator=_between(0.01, 600))
    ack_timeout_initial: float = attrs.field(default=0.2, validator=_between(0.001, 60))
    ack_timeout_min: float = attrs.field(default=0.1, validator=_between(0.001, 60))
    ack_timeout_max: float = attrs.field(default=0.5, validator=_between(0.001, 60))
    indirect_probes: int = attrs.field(default=3, validator=_whole(0, 16))
    watch_delay: float = attrs.field(default=0.25, validator=_between(0.001, 60))
    suspicion_min: float = attrs.field(default=1.6, validator=_between(0.01, 3600))
    suspicion_max: float = attrs.field(default=6.0, validator=_between(0.01, 3600))
    confirmations: int = attrs.field(default=2, validator=_whole(1, 8))
    max_helped: int = attrs.field(default=64, validator=_whole(1, 100_000))
    max_helped_per_source: int = attrs.field(default=8, validator=_whole(1, 100_000))
    witnesses: float = attrs.field(default=5.0, validator=_between(0, 64))
    push_fanout: int = attrs.field(default=6, validator=_whole(0, 16))
    push_delay: float = attrs.field(default=0.003, validator=_between(0, 10))
    push_rate: float = attrs.field(default=16.0, validator=_between(0.1, 100_000))
    push_burst: int = attrs.field(default=64, validator=_whole(1, 100_000))
    reconcile_after: float = attrs.field(default=1.0, validator=_between(0.01, 600))
    max_datagram: int = attrs.field(default=1200, validator=_whole(MIN_MAX_DATAGRAM, MAX_MAX_DATAGRAM))
    max_metadata: int = attrs.field(default=512, validator=_whole(0, 16_384))
    max_members: int = attrs.field(default=10_000, validator=_whole(2, 1_000_000))
    max_new_members_per_source: int = attrs.field(default=500, validator=_whole(1, 1_000_000))
    max_rumours: int = attrs.field(default=4096, validator=_whole(16, 1_000_000))
    max_probes: int = attrs.field(default=4096, validator=_whole(128, 1_000_000))
    max_streams: int = attrs.field(default=256, validator=_whole(4, 65_536))
    max_streams_per_source: int = attrs.field(default=144, validator=_whole(1, 65_536))
    stream_timeout: float = attrs.field(default=15.0, validator=_between(0.1, 3600))
    stream_idle_timeout: float = attrs.field(default=5.0, validator=_between(0.05, 3600))
    max_stream_bytes: int = attrs.field(default=64 << 20, validator=_whole(1 << 17, 1 << 34))
    forget_after: float = attrs.field(default=3600.0, validator=_between(1, 10_000_000))
    heal_probability: float = attrs.field(default=0.1, validator=_between(0, 0.5))
    join_backoff_max: float = attrs.field(default=15.0, validator=_between(0.1, 3600))
    leave_timeout: float = attrs.field(default=2.0, validator=_between(0.01, 60))
    leave_acknowledgements: int = attrs.field(default=3, validator=_whole(1, 16))

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
    """The settings that a program gave as ``config``; None means the default.

    :raises ConfigurationError: if it is no :class:`Config`.
    """
    if config is None:
        return Config.lan()
    if not isinstance(config, Config):
        raise wrong("config", "a gossip.Config, such as Config.lan(cluster='blue')", config)
    return config


PROFILES: dict[str, Callable[..., Config]] = {"lan": Config.lan, "wan": Config.wan, "local": Config.local}
"""The presets by name, as the command line spells them."""
