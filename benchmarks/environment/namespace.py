"""A private network: its losses, its partitions and counts of its packets, made from outside and alike for every
system.

Everything runs in a network namespace of its own, which holds no other packets. ``nft`` counts the packets that are
sent there, and drops packets where they arrive; if it dropped them where they leave, the sender would get an error.
Half of the nodes can live in a second namespace behind a pair of virtual interfaces. A partition then also stops
streams, whose source address does not say from which half they come.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import attrs

from benchmarks.environment.measuring import MeasurementFailed

_ENTERED = "GOSSIP_BENCHMARKS_NAMESPACE"
"""Environment variable that is set inside the namespace."""

LEFT, RIGHT = "10.1", "10.2"
"""Networks, of 16 bits, in which the nodes of this half and of the other half live."""

MOST_UNDER_WAY = 100_000
"""Packets that may be delayed at once; more are lost. All nodes together send far fewer in a second."""

UDP_HEADERS_BYTES = 28
"""IPv4 and UDP headers of a datagram."""

_TABLE = """
table ip benchmark {
    counter datagrams { }
    counter segments { }
    chain sent {
        type filter hook output priority 0;
        ip protocol udp counter name datagrams
        ip protocol tcp counter name segments
    }
    chain faults { type filter hook input priority 0; }
}
"""


class NamespaceUnavailable(MeasurementFailed):
    """There can be no private network here. The text says why, and what to do about it."""


def enter() -> None:
    """Go on in a network namespace of our own: starts this very command again inside one, and does not return.

    Inside the namespace this sets up the network, and returns.

    :raises NamespaceUnavailable: if that is not allowed, or tools are missing.
    """
    if _ENTERED in os.environ:
        _set_up()
        return
    for tool, package in (("unshare", "util-linux"), ("ip", "iproute2"), ("nft", "nftables")):
        if _path(tool) is None:
            raise NamespaceUnavailable(f"the command {tool} is missing; on Debian: apt-get install {package}")
    options = _options()
    arguments = [*sys.orig_argv[1:]]
    os.environ[_ENTERED] = "1"
    sys.stdout.flush()
    os.execvp("unshare", ["unshare", options, "--", sys.executable, *arguments])


@attrs.frozen
class Sent:
    """What all nodes together sent."""

    datagrams: int
    datagram_bytes: int
    """Payload of those datagrams."""
    stream_bytes: int
    """Bytes on streams (TCP), headers and acknowledgements included."""

    def __sub__(self, earlier: Sent) -> Sent:
        return Sent(
            self.datagrams - earlier.datagrams,
            self.datagram_bytes - earlier.datagram_bytes,
            self.stream_bytes - earlier.stream_bytes,
        )


def sent() -> Sent:
    """What was sent so far in this namespace."""
    listed = json.loads(_run("nft", "-j", "list", "counters", "table", "ip", "benchmark"))
    counters = {each["counter"]["name"]: each["counter"] for each in listed["nftables"] if "counter" in each}
    datagrams, segments = counters["datagrams"], counters["segments"]
    payload = datagrams["bytes"] - UDP_HEADERS_BYTES * datagrams["packets"]
    return Sent(datagrams["packets"], payload, segments["bytes"])


@contextmanager
def loss(share: float) -> Iterator[None]:
    """Lose a share of all packets, those of streams included, while the block lasts."""
    with _fault(f"numgen random mod 10000 < {round(10_000 * share)} drop"):
        yield


@contextmanager
def delay(mean_s: float, spread_s: float) -> Iterator[bool]:
    """Delay every packet while the block lasts, if the kernel can do that; tells whether it can."""
    queue = ("dev", "lo", "root", "netem")
    times = (f"{mean_s * 1e6:.0f}us", f"{spread_s * 1e6:.0f}us")
    try:
        _run("tc", "qdisc", "add", *queue, "limit", str(MOST_UNDER_WAY), "delay", *times)
    except (NamespaceUnavailable, OSError):
        yield False
        return
    try:
        yield True
    finally:
        _run("tc", "qdisc", "del", *queue)


@contextmanager
def silence() -> Iterator[None]:
    """Suppress all reports that nobody listens at a port while the block lasts, as if the machine were gone."""
    with _fault("icmp type destination-unreachable drop", "tcp flags & rst == rst drop"):
        yield


@contextmanager
def unreachable(host: str) -> Iterator[None]:
    """Drop every datagram to an address of this namespace, and all streams, while the block lasts."""
    with _fault(f"ip daddr {host} drop", "ip protocol tcp drop"):
        yield


@contextmanager
def _fault(*rules: str) -> Iterator[None]:
    for rule in rules:
        _run("nft", f"add rule ip benchmark faults {rule}")
    try:
        yield
    finally:
        _run("nft", "flush chain ip benchmark faults")


class OtherHalf:
    """A second namespace, connected to this one."""

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self._inside = ("nsenter", f"--net=/proc/{self._keeper.pid}/ns/net", "--")
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def command(self, command: Sequence[str]) -> tuple[str, ...]:
        """The command line that runs ``command`` there."""
        return (*self._inside, *command)

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Drop everything between the halves while the block lasts."""
        for inside in ((), self._inside):
            _run(*inside, "nft", 'add rule ip benchmark faults iifname "halves" drop')
        try:
            yield
        finally:
            for inside in ((), self._inside):
                _run(*inside, "nft", "flush chain ip benchmark faults")

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Drop everything that goes into this half while the block lasts, answers to its own questions included."""
        _run(*self._inside, "nft", 'add rule ip benchmark faults iifname "halves" drop')
        try:
            yield
        finally:
            _run(*self._inside, "nft", "flush chain ip benchmark faults")

    def close(self) -> None:
        """Remove this half. Whatever runs there must have ended."""
        with suppress(NamespaceUnavailable):  # it may never have been connected
            _run("ip", "link", "delete", "halves")  # or the kernel does it, but some time later
        self._keeper.communicate()

    def _connect(self) -> None:
        while os.readlink(f"/proc/{self._keeper.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            if self._keeper.poll() is not None:
                raise NamespaceUnavailable("a second network namespace was refused")
        _run("ip", "link", "add", "halves", "type", "veth", "peer", "name", "halves", "netns", str(self._keeper.pid))
        _run(*self._inside, "ip", "link", "set", "lo", "up")
        for inside, here, there in (((), LEFT, RIGHT), (self._inside, RIGHT, LEFT)):
            _run(*inside, "ip", "address", "replace", f"{here}.255.254/32", "dev", "halves")
            _run(*inside, "ip", "link", "set", "halves", "up")
            _run(*inside, "ip", "route", "replace", f"{there}.0.0/16", "dev", "halves", "src", f"{here}.255.254")
            _run(*inside, "ip", "route", "replace", "local", f"{here}.0.0/16", "dev", "lo")
        _run(*self._inside, "nft", "-f", "-", text=_TABLE)


def _set_up() -> None:
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "route", "replace", "local", f"{LEFT}.0.0/16", "dev", "lo")
    _run("nft", "-f", "-", text=_TABLE)


def _options() -> str:
    """The options with which a namespace may be made; an ordinary user also needs a namespace for users."""
    for options in ("-n", "-rn"):
        if subprocess.run(["unshare", options, "true"], capture_output=True, check=False).returncode == 0:
            return options
    raise NamespaceUnavailable(
        "no network namespace may be made here; run as root, or allow user namespaces (sysctl user.max_user_namespaces)"
    )


def _path(tool: str) -> str | None:
    """The path of a tool. The tools of administrators are not on every user's path."""
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _run(tool: str, *arguments: str, text: str | None = None) -> str:
    command = [_path(tool) or tool, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, input=text, check=False)
    if done.returncode:
        raise NamespaceUnavailable(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
