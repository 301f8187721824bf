"""The examples in the docstrings of what users import."""

from __future__ import annotations

import doctest
import importlib

import pytest

from gossip import testing


@pytest.mark.parametrize("name", testing.__all__)
def test_each_name_has_an_example_that_runs_as_it_stands(name: str) -> None:
    named = getattr(testing, name)
    module = importlib.import_module(named.__module__)
    (example,) = doctest.DocTestFinder(recurse=False).find(named, name, module=module, globs={})
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0
