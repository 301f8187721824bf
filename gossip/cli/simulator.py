"""``gossip sim``: passes its arguments to the simulator, a package of its own that is loaded only for this command.

The simulator is installed with this package, and uses the core only; nothing else here uses the simulator.
"""

from __future__ import annotations

import importlib

import click

SIMULATOR = "gossip_sims"

NOT_INSTALLED = (
    f"the simulator is not installed: there is no package {SIMULATOR}. Install this package again "
    "(pip install 'gossip-membership[sims]'), or run python -m sims in a checkout"
)


@click.command(
    add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sim(arguments: tuple[str, ...]) -> int:
    """Simulate a cluster, on a network that can fail."""
    try:
        simulator = importlib.import_module(f"{SIMULATOR}.cli")
    except ModuleNotFoundError as error:
        if error.name != SIMULATOR:
            raise
        raise click.ClickException(NOT_INSTALLED) from error
    code: int = simulator.start(arguments)
    return code
