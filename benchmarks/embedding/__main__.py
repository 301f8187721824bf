"""``python -m benchmarks.embedding``: what a program pays that embeds a node."""

from __future__ import annotations

import click

from benchmarks.embedding import imports
from benchmarks.embedding.commands import COMMANDS


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure what a program pays that embeds a node, and what becomes of the node.

    All commands but imports run in a private network, and keep what they measured with --json FILE.
    """


main.add_command(imports.main, "imports")
for command in COMMANDS:
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.embedding")
