"""``python -m benchmarks.endurance``: tests of real agents and nodes that take minutes or hours."""

from __future__ import annotations

import click

from benchmarks.endurance import rotation, soak, upgrade
from benchmarks.endurance.hostile import command as hostile


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Put real agents and nodes through trouble, and check that nothing is violated.

    Each command prints what it found, keeps it with --json FILE, and exits with 1 if something was violated.
    """


main.add_command(soak.main, "soak")
main.add_command(rotation.main, "rotation")
main.add_command(upgrade.main, "upgrade")
main.add_command(hostile.main, "hostile")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.endurance")
