"""A regression test: a test module that runs one plan, and fails as long as the run violates anything."""

from __future__ import annotations

import json
import re

from ..names import PACKAGE
from .shrinking import Shrunk

_TEST = '''"""A run that broke an invariant, made as small as it would go. It fails as long as the fault is there.

Scenario: {scenario}
Seed: {seed}
Broke: {invariant}
"""

from __future__ import annotations

from {package}.plan import Plan
from {package}.running import Run

PLAN = r"""
{plan}
"""{exemption}


def test_{name}_seed_{seed_name}() -> None:
    outcome = Run(Plan.from_json(PLAN)).run()
    assert outcome.is_good, "\\n".join(map(str, outcome.violations))
'''

_LINE = 120
"""The longest line that the linter allows."""


def as_pytest(shrunk: Shrunk) -> str:
    """The text of the test module."""
    plan = json.dumps(json.loads(shrunk.plan.to_json()), indent=2)
    name = re.sub("[^a-z0-9]+", "_", shrunk.plan.scenario.lower()).strip("_")
    return _TEST.format(
        package=PACKAGE, scenario=name.replace("_", "-"), seed=shrunk.plan.seed,
        invariant=shrunk.violation.invariant, plan=plan,
        exemption="  # noqa: E501" if any(len(line) > _LINE for line in plan.splitlines()) else "",
        name=name, seed_name=str(shrunk.plan.seed).replace("-", "minus_"),
    )  # fmt: skip
