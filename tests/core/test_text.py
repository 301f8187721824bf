"""What every Python has to judge alike: which names are printable, and how addresses are written."""

from __future__ import annotations

import hashlib

import pytest

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError
from gossip.core.state.member import is_valid_name
from gossip.core.support.address import Address
from gossip.core.support.text import is_printable

CODE_POINTS = 0x110000
VERDICTS = "d8fbb58b346bec341abe0829642439d3bf4f83ea6a2fb01c9f395a183831f09b"
"""SHA-256 over one byte for each code point, 1 where it is printable. Every Python has to arrive at it."""

MAPPED = bytes(10) + b"\xff\xff"


def test_every_python_gives_the_same_verdict_on_every_code_point() -> None:
    verdicts = bytes(is_printable(chr(code)) for code in range(CODE_POINTS))
    assert hashlib.sha256(verdicts).hexdigest() == VERDICTS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web-1",
        "a b",
        "節点",
        "é",
        "e\u0301",
        "❤\ufe0f",
        "\U0001fae8",
        "\U0001fadc",
        "\u0378",
        "\ufffd",
    ],
    ids=ascii,
)
def test_what_is_seen_is_printable_whenever_it_was_assigned(text: str) -> None:
    """U+1FAE8 came with Unicode 15, U+1FADC with 16, and U+0378 is still to come."""
    assert is_printable(text)


@pytest.mark.parametrize(
    "char",
    [0, 0x1B, 0x7F, 0x85, 0xA0, 0xAD, 0x34F, 0x61C, 0x115F, 0x1680, 0x180E, 0x200B, 0x200D, 0x200E, 0x2028, 0x2029,
     0x202E, 0x2066, 0x2065, 0x2800, 0x3000, 0x3164, 0xD800, 0xDFFF, 0xE000, 0xFDD0, 0xFEFF, 0xFFF9, 0xFFFE, 0x1FFFF,
     0xE0001, 0xE0041, 0xF0000, 0x10FFFF],
    ids=hex,
)  # fmt: skip
def test_what_is_not_seen_or_moves_what_is_seen_is_refused_beside_any_letter(char: int) -> None:
    assert not is_printable(chr(char))
    for text in (f"a{chr(char)}b", f"節{chr(char)}点"):
        assert not is_printable(text)
        assert not is_valid_name(text)
        with pytest.raises(ConfigurationError, match="cluster"):
            Config(cluster=text)


def test_an_ipv4_address_inside_ipv6_is_written_alike_on_every_python() -> None:
    """Records of one version are ordered by content, and so by this text."""
    for packed, text in (("01020304", "::ffff:102:304"), ("7f000001", "::ffff:7f00:1"), ("e0000000", "::ffff:e000:0")):
        address = Address.from_wire(MAPPED + bytes.fromhex(packed) + b"\x1f\x0a")
        assert address.host == text
        assert Address.from_wire(address.to_wire()) == address


def test_what_ipv6_wraps_is_judged_as_what_it_is() -> None:
    loopback, group, nowhere = (
        Address.from_wire(MAPPED + bytes.fromhex(packed) + b"\x1f\x0a")
        for packed in ("7f000001", "e0000001", "00000000")
    )
    assert loopback.is_loopback
    assert group.is_group
    assert nowhere.is_unspecified
