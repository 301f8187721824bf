"""``python -m benchmarks.simulation``: measurements of simulated clusters."""

from __future__ import annotations

import click

from benchmarks.simulation import deaf, evaluation, figures


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure simulated clusters: what the protocol is held to, and what each choice in it is worth."""


main.add_command(figures.main, "figures")
main.add_command(evaluation.main, "ablations")
main.add_command(deaf.main, "deaf")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.simulation")
