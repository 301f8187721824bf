"""``python -m sims list``: the scenarios."""

from __future__ import annotations

import json

import click
from rich.text import Text

from ..names import PROGRAM
from ..scenarios import SCENARIOS
from .terminal import PlainConsole, table_of

HINT = f"Change parameters with --set, as in: {PROGRAM} run crash --set victims=half.\n"
HINT += f"Give a plan of your own as a file whose name ends in .py, as in: {PROGRAM} run my_plan.py"


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
def list_scenarios(as_json: bool) -> int:
    """List all scenarios, with their parameters and defaults.

    \b
    Examples:
      python -m sims list
      python -m sims list --json

    \b
    Change a parameter, or any field of the configuration, with --set:
      python -m sims run crash --set victims=half --set suspicion_min=3
    """
    if as_json:
        click.echo(json.dumps([_described(name) for name in SCENARIOS], indent=2))
        return 0
    table = table_of("SCENARIO", "NODES", "WHAT HAPPENS", "PARAMETERS", text_columns=4)
    table.columns[0].no_wrap = True
    table.columns[1].justify = "right"
    for name, scenario in SCENARIOS.items():
        parameters = "\n".join(f"{each.name}={each.default}" for each in scenario.parameters)
        table.add_row(Text(name, "bold"), str(scenario.nodes), Text(scenario.summary), Text(parameters))
    console = PlainConsole()
    console.print(table)
    console.print(f"\n{HINT}")
    return 0


def _described(name: str) -> dict[str, object]:
    scenario = SCENARIOS[name]
    return {
        "name": name,
        "summary": scenario.summary,
        "nodes": scenario.nodes,
        "parameters": {each.name: each.default for each in scenario.parameters},
    }
