"""Who writes what in the core: entries are written by the view alone, and no part is wired to another afterwards.

Both are read from the source: what breaks them works as well as before, until somebody looks for who changed something.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from gossip.core.state.entry import Entry
from gossip.core.state.heartbeat import HeartbeatEstimate
from gossip.core.state.round_trip import RoundTrip
from tests.rst import ROOT

CORE = ROOT / "gossip" / "core"
VIEW = CORE / "state" / "view.py"
MODULES = sorted(CORE.rglob("*.py"))

ENTRY_FIELDS = {field.name for field in attrs.fields(Entry)}

CHANGING = {"estimate": {"relayed", "fresh"}, "round_trip": {"sample"}}
"""Methods that change what an entry holds, by the field that holds it."""


def named(file: Path) -> str:
    return str(file.relative_to(CORE))


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def writes_to_others(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Attributes of objects other than the one whose method this is, where they are assigned or deleted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and not is_self(node.value):
            yield node


def writes_to_entries(tree: ast.AST) -> list[str]:
    """What a piece of source writes into entries, as source."""
    found = [ast.unparse(each) for each in writes_to_others(tree) if each.attr in ENTRY_FIELDS]
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=holder, attr=field), attr=method)) if (
                method in CHANGING.get(field, ()) and not is_self(holder)
            ):
                found.append(ast.unparse(node.func))
    return found


def method_names() -> set[str]:
    """Names of methods of the core's classes that are the names of nothing else there: of no property, no field and no
    attribute."""
    methods: set[str] = set()
    others: set[str] = set()
    for node in (node for file in MODULES for node in ast.walk(parsed(file))):
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef):
                    (others if each.decorator_list else methods).add(each.name)
                elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                    others.add(each.target.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            others.add(node.attr)
    return methods - others


METHODS = method_names()


def is_callable(value: ast.expr | None) -> bool:
    """Whether a value is a function or the method of an object, as far as its text tells."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) in ("partial", "functools.partial")
    return isinstance(value, ast.Lambda) or (isinstance(value, ast.Attribute) and value.attr in METHODS)


def wirings(tree: ast.AST) -> list[str]:
    """Assignments of something callable to an attribute of another object, as source."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and is_callable(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [ast.unparse(node) for target in targets if [*writes_to_others(target)]]
    return found


@pytest.mark.parametrize("file", [file for file in MODULES if file != VIEW], ids=named)
def test_only_the_view_writes_entries(file: Path) -> None:
    assert writes_to_entries(parsed(file)) == []


@pytest.mark.parametrize("file", MODULES, ids=named)
def test_no_part_is_wired_to_another_after_its_construction(file: Path) -> None:
    assert wirings(parsed(file)) == []


def test_the_view_writes_each_field_of_an_entry_that_changes() -> None:
    """So the names above are those of the fields, and the rule is not empty."""
    written = {text.split(".")[1] for text in writes_to_entries(parsed(VIEW))}
    assert written == ENTRY_FIELDS - {"id"}
    assert all(hasattr(HeartbeatEstimate, name) for name in CHANGING["estimate"])
    assert all(hasattr(RoundTrip, name) for name in CHANGING["round_trip"])


@pytest.mark.parametrize(
    "source",
    [
        "entry.registers = new",
        "self._view.local.accusers = ()",
        "probe.target.gone_at += 1.0",
        "del entry.farewell",
        "entry.answered_from, other = address, None",
        "for entry.round_trip in measured: pass",
        "entry.estimate.fresh(1, 0.0, 1.0)",
        "self._view.local.round_trip.sample(0.1)",
    ],
)
def test_a_write_to_an_entry_is_found_however_it_is_written(source: str) -> None:
    assert writes_to_entries(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "self.journal.tell = self.intake.distribute",
        "view.changed = self._detector.note_change",
        "view.changed = lambda change: None",
        "view.changed = partial(make_known, 1)",
        "view.changed: Callable[[], None] = journal.note_forgotten",
    ],
)
def test_a_wiring_is_found_however_it_is_written(source: str) -> None:
    assert wirings(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "self._outbox.is_known = False",
        "scrutiny.timer = self._timers.at(now, self._probing_due)",
        "scrutiny.asked_since = scrutiny.probe.began",
        "self.get = self._entries.get",
    ],
)
def test_a_value_given_to_another_object_is_no_wiring(source: str) -> None:
    assert wirings(ast.parse(source)) == []
