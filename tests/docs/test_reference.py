"""The reference is complete: every name, setting, event, standing and error is there, and so is every term."""

from __future__ import annotations

import re
from enum import Enum

import attrs
import pytest

import gossip
from docs.generate import settings
from gossip import Config, EventKind, Node, Standing, Status
from gossip.core import wire
from gossip.core.dissemination.questions import Purpose
from tests.docs.pages import PAGES
from tests.rst import ROOT, document, table

API = document("docs/reference/api.rst")
EVENTS = document("docs/reference/events.rst")
GLOSSARY = document("docs/reference/glossary.rst")

TERMS = re.findall(r"^   ([A-Za-z_][\w -]*)$", GLOSSARY, re.MULTILINE)


def code() -> str:
    """All of the package's source, in small letters; words of names are apart."""
    sources = sorted((ROOT / "gossip").rglob("*.py"))
    return re.sub(r"[_\s-]+", " ", "\n".join(source.read_text(encoding="utf-8") for source in sources)).lower()


@pytest.mark.parametrize("name", gossip.__all__)
def test_everything_that_can_be_imported_is_in_the_api(name: str) -> None:
    assert re.search(rf":: (gossip\.)?{name}\b", API), f"{name} is not in docs/reference/api.rst"


def test_every_attribute_of_a_node_is_in_the_api() -> None:
    inside = API[API.index("autoclass:: gossip.Node\n") : API.index("autofunction:: gossip.query_members")]
    described = set(re.findall(r"   \.\. auto(?:method|property):: (\w+)", inside))
    assert described == {name for name in vars(Node) if not name.startswith("_")}


def test_every_field_of_an_event_and_every_kind_is_in_its_table() -> None:
    fields = {name for row in table(EVENTS, "``MembershipEvent``") for name in re.findall(r"``(\w+)``", row[0])}
    assert fields == {field.name for field in attrs.fields(gossip.MembershipEvent)}
    assert [row[0] for row in table(EVENTS, "``EventKind``")] == [f"``{kind.name}``" for kind in EventKind]


def test_every_standing_is_in_its_table() -> None:
    assert {row[0] for row in table(EVENTS, "``Standing``")} == {f"``{each.name}``" for each in Standing}


def test_every_error_is_in_the_table_of_errors() -> None:
    errors = {f"``{name}``" for name in gossip.__all__ if name.endswith("Error")} - {"``GossipError``"}
    assert {row[0] for row in table(EVENTS, "Errors")} == errors


def test_every_setting_is_explained_where_help_shows_it() -> None:
    explained = settings.explanations()
    assert list(explained) == [field.name for field in attrs.fields(Config)]
    assert all(len(text) > 30 for text in explained.values())


@pytest.mark.parametrize("page", PAGES)
def test_no_line_of_a_document_is_too_long_for_a_page(page: str) -> None:
    lines = document(page).splitlines()
    assert not [line for line in lines if len(line) > 110 and "python3 -m venv" not in line]


@pytest.mark.parametrize("names", [Status, Standing], ids=["Status", "Standing"])
def test_every_verdict_is_in_the_glossary(names: type[Enum]) -> None:
    assert {each.name for each in names} <= set(TERMS)


def test_every_kind_of_message_and_of_fact_is_in_the_glossary() -> None:
    wire_format = document("docs/reference/wire.rst")
    names = {name for title in ("Kinds of messages", "Codes of facts") for _, name, *_ in table(wire_format, title)}
    assert len(names) == len(wire.KINDS) + 5
    assert {name for name in names if not re.search(rf"\b{name}\b", GLOSSARY)} == set()


def test_every_purpose_of_a_question_and_every_role_in_the_protocol_is_in_the_glossary() -> None:
    roles = {"accuser", "claimant", "helper", "holder", "member", "node", "seed", "witness"}
    things = {"attempt", "comparison of views", "conviction", "floor", "generation", "piggyback", "push", "suspicion"}
    assert {purpose.value for purpose in Purpose} | roles | things | {"validated address"} <= set(TERMS)


def test_every_term_of_the_glossary_is_a_word_of_the_code() -> None:
    words = code()
    assert len(TERMS) > 60
    assert [term for term in TERMS if re.sub("[_ -]+", " ", term.lower()) not in words] == []
