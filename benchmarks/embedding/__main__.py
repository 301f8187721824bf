"""``python -m benchmarks.embedding``: what a program pays that embeds a node."""

from __future__ import annotations

import click

from benchmarks.embedding import imports


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure what a program pays that embeds a node."""


main.add_command(imports.main, "imports")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.embedding")
