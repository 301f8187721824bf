"""The pages about the protocol say what the code does: its numbers, its bytes, its bounds."""

from __future__ import annotations

import ast
import importlib
import math
import re
from typing import Any

import attrs
import cbor2

from gossip.core import wire
from gossip.core.config import PROFILES, Config
from gossip.core.detection.detector import suspicion_timeout
from gossip.core.detection.evidence import Explanation
from gossip.core.presence.unfit_answers import UNFIT_ANSWERS
from gossip.core.state.member import RECORD, Identity, Record, Status
from gossip.core.state.view import FINGERPRINT_MODULUS
from gossip.core.support.address import Address
from gossip.core.support.drop_reasons import Drop
from gossip.core.wire import Codec, encode_fact, facts, messages
from gossip.core.wire.messages import DeadFact, Explain, Explained, News, Ping, RecordFact, SuspectFact
from tests.core.test_explanations import largest
from tests.rst import ROOT, document, lines, literal_blocks, table

WIRE = document("docs/reference/wire.rst")
CONSTANTS = document("docs/reference/constants.rst")
SETTINGS = document("docs/reference/settings.rst")
LIMITS = document("docs/reference/limits.rst")
DROPS = document("docs/reference/drops.rst")
DETECTION = document("docs/protocol/detection.rst")

ADA = Identity("ada", 1_750_000_000_000, 0x1122334455667788)
BROOK = Identity("brook", 1_750_000_060_000, 0x99AABBCCDDEEFF00)
ADAS_RECORD = Record(ADA, 1, Address("10.0.0.1", 7946), {})
BROOKS_RECORD = Record(BROOK, 2, Address("10.0.0.2", 7946), {"role": "web"})
FINGERPRINT = (ADAS_RECORD.fingerprint + BROOKS_RECORD.fingerprint) % FINGERPRINT_MODULUS


# --- bytes


def hex_dump(first_line: str) -> bytes:
    """The bytes of the annotated dump that begins so; each line is hex, two spaces or more, a remark."""
    (block,) = [block for block in literal_blocks(WIRE) if block.startswith(first_line)]
    return bytes.fromhex("".join(line.partition("  ")[0] for line in block.splitlines()))


def test_the_ping_in_the_wire_format_is_what_the_codec_makes() -> None:
    suspicion = SuspectFact(BROOK.id, 3600, (ADA.id,), 3590)
    made, _ = Codec("default").encode(ADA.id, 4321, FINGERPRINT, Ping(0xDECAFBAD), [encode_fact(suspicion)], 1200)
    assert hex_dump("88 ") == made
    assert Codec("default").decode(made).facts == (suspicion,)


def test_the_news_in_the_wire_format_are_what_the_codec_makes() -> None:
    record = RecordFact(BROOKS_RECORD, heartbeat=3605)
    death = DeadFact(0x0F0E0D0C0B0A0908, 9000, (ADA.id, BROOK.id), 8950)
    facts = [encode_fact(record), encode_fact(death)]
    made, _ = Codec("default").encode(ADA.id, 4330, FINGERPRINT, News(), facts, 1200)
    assert hex_dump("87 ") == made
    assert Codec("default").decode(made).facts == (record, death)


def test_the_question_in_the_wire_format_is_what_the_codec_makes() -> None:
    made, _ = Codec("default").encode(messages.ANONYMOUS, 0, 0, Explain(0xC0FFEE, "brook"), (), 1200)
    assert hex_dump("89 ") == made


def test_the_explanation_in_the_wire_format_is_what_a_node_would_write() -> None:
    written = hex_dump("8c ")
    told = Explanation.from_wire(cbor2.loads(written), BROOKS_RECORD.member(Status.SUSPECT))
    assert cbor2.dumps(told.to_wire()) == written
    assert (told.counter, told.floor, told.since, told.silent_for) == (3590, 3600, -1.45, 1.6)
    assert (told.asked[0].helpers, told.told[0].by) == (("cleo",), "ada")


def test_the_largest_explanation_in_the_wire_format_is_the_largest() -> None:
    made, _ = Codec("default").encode(1, 1, 1, Explained(1, largest()), (), 1 << 20)
    bare, _ = Codec("default").encode(1, 1, 1, Explained(1, []), (), 1 << 20)
    assert f"explanation has {len(made) - len(bare) + 1:,} bytes" in WIRE


def test_the_fingerprint_in_the_wire_format_is_what_the_view_would_have() -> None:
    marks = (ADAS_RECORD.fingerprint, BROOKS_RECORD.fingerprint, FINGERPRINT)
    assert hex_dump("39 ") == b"".join(mark.to_bytes(8, "big") for mark in marks)


def test_the_kinds_of_messages_are_those_of_the_codec() -> None:
    bodies: dict[str, type[messages.Body]] = {
        "PING": messages.Ping,
        "ACK": messages.Ack,
        "PING_REQUEST": messages.PingRequest,
        "NACK": messages.Nack,
        "INDIRECT_ACK": messages.IndirectAck,
        "NEWS": messages.News,
        "DIGEST": messages.Digest,
        "ENTRIES": messages.Entries,
        "CLOCK": messages.Clock,
        "EXPLAIN": messages.Explain,
        "EXPLAINED": messages.Explained,
    }
    rows = table(WIRE, "Kinds of messages")
    assert [(name, int(kind)) for kind, name, *_ in rows] == [(name, wire.KINDS[body]) for name, body in bodies.items()]


def test_the_codes_of_facts_are_those_of_the_codec() -> None:
    described = {name: int(code) for code, name, *_ in table(WIRE, "Codes of facts")}
    assert described == {
        "RECORD": RECORD,
        "ALIVE": facts.ALIVE,
        "SUSPECT": facts.SUSPECT,
        "DEAD": facts.DEAD,
        "LEFT": facts.LEFT,
    }


# --- numbers


def number(text: str) -> float | tuple[float, ...]:
    """A number as the paper writes it: ``1,200``, ``0.1``, ``2^62``, ``2^64-1``, or several."""
    if ", " in text:
        return tuple(float(part) for part in text.split(", "))
    if power := re.fullmatch(r"2\^(\d+)(-1)?", text):
        return (1 << int(power[1])) - bool(power[2])
    return float(text.replace(",", "")) if "." in text else int(text.replace(",", ""))


def constants_in_the_code() -> dict[tuple[str, str], Any]:
    """Name and module of every public constant of the core that is a number or several."""
    found = {}
    for path in sorted((ROOT / "gossip" / "core").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(name) if path.stem != "__init__" else None
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            targets += [statement.target] if isinstance(statement, ast.AnnAssign) else []
            for target in targets:
                if isinstance(target, ast.Name) and re.fullmatch("[A-Z][A-Z0-9_]+", target.id):
                    value = getattr(module, target.id)
                    numbers = value if type(value) is tuple else (value,)
                    if all(type(each) in (int, float) for each in numbers):
                        found[target.id, name.removeprefix("gossip.core.")] = value
    return found


def test_the_table_of_constants_is_complete_and_true() -> None:
    described = {tuple(lines(named)): number(value) for named, value, _ in table(CONSTANTS, "Constants")}
    assert described == constants_in_the_code()
    assert [module for _, module in described] == sorted(module for _, module in described)


def test_every_constant_has_a_reason() -> None:
    for name, _, reason in table(CONSTANTS, "Constants"):
        assert len(reason) >= 7, name


def test_the_table_of_settings_is_complete_and_true() -> None:
    profiles = [PROFILES[name]() for name in ("local", "lan", "wan")]
    rows = {name: values for name, *values in table(SETTINGS, "Settings and profiles")}
    assert list(rows) == [field.name for field in attrs.fields(Config)]
    for name, values in rows.items():
        for value, profile in zip(values, profiles, strict=True):
            actual = getattr(profile, name)
            assert value == f"``{actual}``" if isinstance(actual, str) else number(value) == actual, name


# --- bounds

ROOMS = ("gossip/net", "gossip/security", "gossip/telemetry", "gossip/node")
"""Of the shell."""


def constants(path: str) -> dict[str, Any]:
    """The public constants of the shell and the core, by name."""
    found: dict[str, Any] = {}
    for file in sorted((ROOT / path).rglob("*.py")):
        module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        found |= {name: value for name, value in vars(module).items() if re.fullmatch("[A-Z][A-Z0-9_]+", name)}
    return found


def test_every_bound_is_a_setting_or_a_constant_with_this_value_and_counted_for_a_reason_that_is_explained() -> None:
    known = {name: value for path in ("gossip/core", *ROOMS) for name, value in constants(path).items()}
    explained = {reason for reason, *_ in table(DROPS, "Reasons of drops")}
    for named, default, counted_as, reason in table(LIMITS, "Bounds"):
        what, limit = lines(named)
        actual = getattr(Config(), limit.strip("`")) if limit.startswith("``") else known[limit]
        assert number(default) == actual, what
        assert set(counted_as.split("; ")) <= explained, what
        assert len(reason) >= 7, what


def test_every_bound_that_is_a_setting_is_among_the_bounds() -> None:
    limits = [lines(named)[1] for named, *_ in table(LIMITS, "Bounds")]
    bounded = {limit.strip("`") for limit in limits if limit.startswith("``")}
    assert {field.name for field in attrs.fields(Config) if field.name.startswith(("max_", "stream_"))} == (
        bounded | {"max_datagram"}  # how much is sent, which grows by nobody's doing
    )


def test_every_reason_of_a_drop_is_given_somewhere() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "gossip").rglob("*.py")]
    given = {name for text in sources for name in re.findall(r"\bDrop\.([A-Z_]+)", text)}
    assert given == {drop.name for drop in Drop}


def test_a_standing_is_explained_by_reasons_that_exist() -> None:
    assert UNFIT_ANSWERS.keys() <= {reason for reason, *_ in table(DROPS, "Reasons of drops")}


def test_the_worked_suspicions_are_what_the_formula_gives() -> None:
    lan = Config.lan()
    for accusers, written in ((1, "6.00 s"), (2, "3.22 s"), (3, "1.60 s")):
        timeout = suspicion_timeout(accusers, lan.confirmations, lan.suspicion_min, lan.suspicion_max)
        assert written == f"{timeout:.2f} s"
        assert f"- {written}\n" in DETECTION
    assert math.isclose(math.log(2) / math.log(3), 0.631, abs_tol=0.0005)
