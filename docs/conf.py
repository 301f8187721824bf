"""How Sphinx builds the site: ``python -m sphinx -b html -W -n docs docs/_build/html``."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from docs.generate.reports import write_reports  # noqa: E402  # after the path to the repository

project = "gossip-membership"
author = "the contributors"
copyright = "the contributors, MIT license"  # noqa: A001  # the name that Sphinx reads

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_inline_tabs",
]
exclude_patterns = ["_build", "generate"]
smartquotes_action = "qe"  # quotes and ellipses; two dashes begin an option

html_theme = "furo"
html_title = "gossip-membership"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_generated"]
html_show_sphinx = False

highlight_language = "text"  # commands and output; Python and hex dumps say what they are

copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"

# The build needs no network, so names of other projects are not looked up.
nitpick_ignore_regex = [(r"py:.*", r"(asyncio|collections\.abc|pathlib|ssl|time|trio)\..*")]
# Names that docstrings of public classes use for what is not public.
nitpick_ignore = [
    ("py:class", "Record"),
    ("py:class", "gossip.testing.held_cluster.N"),
    ("py:class", "gossip.testing.virtual_time.T"),
    ("py:data", "KEY_BYTES"),
    ("py:data", "MAX_KEYS"),
]

python_maximum_signature_line_length = 90

MADE_BY_THE_LIBRARY = {"gossip.Node", "gossip.Subscription", "gossip.NodeStats", "gossip.core.protocol.ProtocolStats"}
"""Classes that no program calls, so that their parameters do not matter."""


def without_parameters(app: Any, what: str, name: str, described: Any, *_: Any) -> tuple[str, None] | None:
    """No parameters where a program only reads objects of a class."""
    is_read = what == "class" and (name in MADE_BY_THE_LIBRARY or issubclass(described, Enum))
    return ("", None) if is_read else None


def with_dashes(app: Any, doctree: Any) -> None:
    """A dash between a parameter and what is said of it."""
    for text in list(doctree.findall(lambda node: node == " -- ")):
        text.parent.replace(text, type(text)(" \N{EN DASH} "))


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", without_parameters)
    app.connect("doctree-read", with_dashes)


write_reports(HERE / "_generated" / "reports")
