"""Addresses: their forms in text and in bytes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError
from gossip.core.protocol import Protocol
from gossip.core.support.address import Address
from tests.core import strategies


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:7946", "127.0.0.1", 7946),
        ("[::1]:7946", "::1", 7946),
        ("example.org:0", "example.org", 0),
        ("a:65535", "a", 65535),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
    ],
)
def test_text_is_read(text: str, host: str, port: int) -> None:
    address = Address.parse(text)
    assert address == Address(host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "HOST:PORT"),
        ("host", "HOST:PORT"),
        (":7946", "HOST:PORT"),
        ("::1:7946", "brackets"),
        ("::1", "brackets"),
        ("host:", "port"),
        ("host:65536", "port"),
        ("host:-1", "port"),
        ("host:1.5", "port"),
        ("host:seven", "port"),
        ("host:\u0667", "port"),
        ("host: 7", "port"),
        ("host:100000000000000000000", "port"),
        ("[]:7946", "host"),
        ("a b:7946", "host"),
        ("a\nb:7946", "host"),
    ],
)
def test_text_that_is_no_address_is_refused_with_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        Address.parse(text)
    assert repr(text) in str(caught.value)


@given(strategies.addresses)
def test_bytes_come_back_as_they_were(address: Address) -> None:
    assert Address.from_wire(address.to_wire()) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("address", "data"),
    [
        (Address("1.2.3.4", 258), b"\x01\x02\x03\x04\x01\x02"),
        (Address("::1", 1), bytes(15) + b"\x01\x00\x01"),
    ],
)
def test_bytes_are_in_network_order(address: Address, data: bytes) -> None:
    assert address.to_wire() == data


@pytest.mark.parametrize("length", [0, 4, 5, 7, 16, 17, 19, 100])
def test_bytes_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="6 or 18 bytes"):
        Address.from_wire(bytes(length))


def test_a_name_has_no_bytes() -> None:
    with pytest.raises(ValueError, match=r"example\.org"):
        Address("example.org", 1).to_wire()


@pytest.mark.parametrize("address", [Address("0.0.0.0", 1), Address("::", 1), Address("10.0.0.1", 0), Address("", 1)])
def test_addresses_to_bind_to_are_not_to_send_to(address: Address) -> None:
    assert address.is_unspecified
    assert not Address("10.0.0.1", 1).is_unspecified


@pytest.mark.parametrize("host", ["224.0.0.1", "239.255.255.250", "ff02::1", "::ffff:224.0.0.251", "::ffff:e000:fb"])
def test_multicast_addresses_are_those_of_groups_and_no_node_has_one(host: str) -> None:
    assert Address(host, 7946).is_group
    with pytest.raises(ConfigurationError, match="reaches many machines"):
        Protocol(Config(), name="n", generation=1, random=Random(1), now=0.0, address=Address(host, 7946))


@pytest.mark.parametrize("host", ["10.0.0.1", "::1", "2001:db8::5", "::ffff:10.0.0.1", "host.example", "0.0.0.0", ""])
def test_other_addresses_are_not_those_of_groups(host: str) -> None:
    assert not Address(host, 7946).is_group


def test_ipv4_wrapped_in_ipv6_with_dots_has_the_bytes_of_ipv6() -> None:
    assert Address("::ffff:10.0.0.1", 7946).to_wire() == bytes(10) + b"\xff\xff\x0a\x00\x00\x01" + (7946).to_bytes(
        2, "big"
    )
