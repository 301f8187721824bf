"""Network addresses: a host and a port, and their forms in text and in bytes.

The core compares and stores addresses; it never resolves or opens them. Inside the protocol a host is always an IP
address in its shortest text form. Only text that people type may hold a name.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from gossip.core.support.arguments import require
from gossip.core.support.text import is_printable

MAX_PORT = 65_535
IPV4_WIRE_BYTES = 6
IPV6_WIRE_BYTES = 18


class Address(NamedTuple):
    """Where a node can be reached: an IP address (or, from people, a DNS name) and a UDP/TCP port.

    >>> import gossip
    >>> gossip.Address.parse("[::1]:7946")
    Address(host='::1', port=7946)
    >>> str(gossip.Address("gossip.example.org", 7946))
    'gossip.example.org:7946'
    """

    host: str
    """An IP address in its shortest form, or a name."""
    port: int
    """From 0 to 65,535, for UDP and TCP alike."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``host:port`` or ``[ipv6]:port``.

        :raises ValueError: with a sentence that says what is wrong with the text.
        """
        require("address", text, str, "a text like HOST:PORT")
        host, colon, port_text = text.rpartition(":")
        if not colon or not host:
            raise ValueError(f"{text!r} is not HOST:PORT (an IPv6 address is written [::1]:7946)")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f"{text!r}: an IPv6 address is written in brackets, like [::1]:7946")
        if not (port_text.isascii() and port_text.isdigit() and int(port_text[:6]) <= MAX_PORT):
            raise ValueError(f"{text!r}: the port must be a number from 0 to {MAX_PORT}")
        if not host or not is_printable(host) or " " in host:
            raise ValueError(f"{text!r}: the host must be an IP address or a name")
        return cls(host, int(port_text))

    @property
    def is_unspecified(self) -> bool:
        """Whether this is an address to bind to (``0.0.0.0``, ``::``, port 0), not one to send to."""
        return self.port == 0 or self.host in ("", "0.0.0.0", "::", "::ffff:0:0")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if ":" not in self.host:  # the usual case, quickly told
            return self.host.startswith("127.") and _is_dotted(self.host)
        address = _ip(self.host)
        return address is not None and address.is_loopback

    @property
    def is_link_local(self) -> bool:
        """Whether it is an IPv6 address that has a meaning only together with a network interface of this machine."""
        address = _ip(self.host) if ":" in self.host else None
        return isinstance(address, ipaddress.IPv6Address) and address.is_link_local

    @property
    def is_group(self) -> bool:
        """Whether a datagram sent there may reach many machines at once (multicast)."""
        if ":" not in self.host:
            return self.host[:1] == "2" and _is_dotted(self.host) and 224 <= int(self.host.partition(".")[0]) < 240
        address = _ip(self.host)
        return address is not None and address.is_multicast

    @property
    def is_ambiguous(self) -> bool:
        """Whether it may lead to more than one machine: to a multicast group, or to a different machine on each
        link."""
        return self.is_group or self.is_link_local

    def to_wire(self) -> bytes:
        """The 4 or 16 bytes of the IP address and the port, both in network order.

        :raises ValueError: if the host is not an IP address.
        """
        octets = self.host.split(".")
        if len(octets) == 4 and ":" not in self.host:
            packed = bytes(map(int, octets))  # the usual case, ten times as fast
            if ".".join(map(str, packed)) == self.host:
                return packed + self.port.to_bytes(2, "big")
        return ipaddress.ip_address(self.host).packed + self.port.to_bytes(2, "big")

    @classmethod
    def from_wire(cls, data: bytes) -> Address:
        """The reverse of :meth:`to_wire`.

        :raises ValueError: unless ``data`` has 6 or 18 bytes.
        """
        if len(data) == IPV4_WIRE_BYTES:
            host = ".".join(map(str, data[:4]))
        elif len(data) == IPV6_WIRE_BYTES:
            host = _ipv6_text(data[:16])
        else:
            raise ValueError(f"an address has {IPV4_WIRE_BYTES} or {IPV6_WIRE_BYTES} bytes, not {len(data)}")
        return cls(host, int.from_bytes(data[-2:], "big"))


def _is_dotted(host: str) -> bool:
    """Whether this is an IPv4 address rather than a name: no name is made of digits and dots alone."""
    return host.isascii() and host.replace(".", "").isdigit()


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address; None for a name. IPv4 that is wrapped in IPv6 becomes IPv4, because versions of Python differ on
    it."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None) or address


def _ipv6_text(packed: bytes) -> str:
    """The shortest text. Records are ordered by it, and versions of Python write wrapped IPv4 in different ways."""
    address = ipaddress.IPv6Address(packed)
    if address.ipv4_mapped is None:
        return str(address)
    high, low = divmod(int(address.ipv4_mapped), 1 << 16)
    return f"::ffff:{high:x}:{low:x}"
