"""The page: one HTML file that holds its data, style and scripts, and needs no network.

Every text is escaped where it is inserted. The page's own policy allows no scripts except its own, so a text that
escaped escaping would stay a text.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from ..plan import Plan, sizes
from ..running import Outcome
from .figures import banner, figures
from .packing import packed
from .recording import Recording

SCRIPTS = ("base", "model", "curves", "grid", "beliefs", "traffic", "diagram", "messages", "ring", "start")
"""The page's scripts, in the order in which they build on each other."""


def render(recording: Recording, plan: Plan, outcome: Outcome) -> str:
    """Render the report of a run with checks. It says that all invariants held if the outcome has no violations.

    :param recording: the observer that watched the run from its beginning to its end.
    """
    style = _part("page.css")
    script = '"use strict";\n(() => {\n' + "\n".join(_part(f"{name}.js") for name in SCRIPTS) + "\n})();\n"
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}"
    return Template(_part("page.html")).substitute(
        policy=escape(policy),
        style=style,
        script=script,
        title=escape(f"{plan.scenario}, {plan.nodes} nodes, seed {plan.seed}"),
        scenario=escape(plan.scenario),
        headline=escape(outcome.in_words),
        banner=banner(outcome),
        facts=_facts(plan, outcome),
        plan=escape(plan.to_json()),
        figures=figures(outcome),
        data=_embedded(packed(recording, plan.groups)),
    )


def _facts(plan: Plan, outcome: Outcome) -> str:
    settings = ", ".join(f"{name} = {value}" for name, value in plan.settings.items())
    facts = {
        "Seed": plan.seed,
        "Nodes": plan.nodes,
        **_groups(plan),
        "Profile": plan.profile,
        "Settings": settings or "those of the profile",
        "Virtual time": f"{outcome.virtual_s:.3f} s",
        "Computed in": f"{outcome.wall_s:.1f} s",
        "Trace hash": outcome.trace_hash,
    }
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts.items())


def _groups(plan: Plan) -> dict[str, str]:
    return {"Groups": sizes(plan.groups)} if plan.groups else {}


def _embedded(data: Any) -> str:
    """JSON in which no text can end the script element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
