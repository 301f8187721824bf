"""Every public name has an example in its docstring, and all of them run and print what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = (
    "gossip",
    "gossip.aio",
    "gossip.blocking",
    "gossip.contrib.starlette",
    "gossip.remote",
    "gossip.testing",
    "gossip.testing.aio",
    "gossip.testing.blocking",
)
"""Modules from which programs import."""

FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL | doctest.REPORT_NDIFF
"""How outputs are compared; the first two are what Sphinx uses for the documents."""


PUBLIC = [(module, name) for module in MODULES for name in importlib.import_module(module).__all__]


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_the_example_of_a_public_name_runs_and_prints_what_it_says(module: str, name: str) -> None:
    thing = getattr(importlib.import_module(module), name)
    documented = thing if hasattr(thing, "__module__") and hasattr(thing, "__name__") else type(thing)
    example = doctest.DocTestParser().get_doctest(documented.__doc__ or "", {}, f"{module}.{name}", None, None)
    sources = "".join(each.source for each in example.examples)
    assert sources, "there is no example"
    assert documented is thing or name in sources, "an object has no docstring of its own: its class shows it"
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(example, out=failures.append)
    assert not failures, "".join(failures)
