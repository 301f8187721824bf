"""The group of commands, and the one place that turns errors into a line on standard error and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

import click

from gossip.cli.output import NO_ROOM
from gossip.cli.rendering import printable

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

DISTRIBUTION = "gossip-membership"

NOT_INSTALLED = (
    f"the version is not known, because {DISTRIBUTION} runs from a folder and is not installed: "
    "run pip install --editable '.[cli]' in that folder"
)

READER_GONE = (errno.EPIPE, errno.EIO)
"""Errors of a write to a closed pipe or a closed terminal."""


COMMANDS = {
    "agent": "gossip.cli.agent",
    "demo": "gossip.cli.demo",
    "identity": "gossip.cli.identity",
    "keygen": "gossip.cli.keys",
    "keys": "gossip.cli.keys",
    "members": "gossip.cli.members",
    "sim": "gossip.cli.simulator",
}
"""The module of each command, which has the command under this name. It is imported when the command runs: the packages
that draw tables would take a third of the time in which an agent starts, and an agent draws no tables."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return command


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print which version is installed, and exit; click's own option has a traceback for a checkout that is not."""
    if not wanted:
        return
    from importlib import metadata  # noqa: PLC0415  (takes as long as a tenth of the start of an agent)

    try:
        installed = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise click.ClickException(NOT_INSTALLED) from None
    click.echo(f"gossip, version {installed}")
    context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
    help="Show the version and exit.",
)  # fmt: skip
def command() -> None:
    """Cluster membership by gossip: every member knows who is in the cluster, who left and who died.

    \b
    See it work, with five processes on this machine:
      gossip demo

    \b
    Start a cluster by hand, each line in a terminal of its own:
      gossip agent --name ada   --bind 127.0.0.1:7946 --join 127.0.0.1:7946 --join 127.0.0.1:7947
      gossip agent --name brook --bind 127.0.0.1:7947 --join 127.0.0.1:7946 --join 127.0.0.1:7947
      gossip members --join 127.0.0.1:7946
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        code = command.main(list(arguments), prog_name="gossip", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _explain(error)
    except click.Abort:
        return EXIT_INTERRUPTED
    except BaseException as error:
        leaves = list(_leaves(error))
        if any(isinstance(leaf, KeyboardInterrupt) for leaf in leaves):
            return EXIT_INTERRUPTED
        failed = [leaf for leaf in leaves if isinstance(leaf, OSError)]
        if any(leaf.errno in READER_GONE for leaf in failed):
            _silence_stdout()
            return EXIT_FAILURE
        if full := [leaf for leaf in failed if leaf.errno in NO_ROOM]:
            _silence_stdout()
            print(f"gossip: cannot write to standard output: {full[0].strerror}", file=sys.stderr)
            return EXIT_FAILURE
        raise
    return code if isinstance(code, int) else 0


def _explain(error: click.ClickException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # click 8.2 and later; 8.1 prints the help by itself
        error.show()
        return EXIT_USAGE
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "gossip"
    hint = f" (see: {path} --help)" if isinstance(error, click.UsageError) else ""
    print(f"{path}: {printable(error.format_message())}{hint}", file=sys.stderr)
    return error.exit_code


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors inside a group of errors (Python 3.10 has no name for such a group)."""
    nested: Sequence[BaseException] = getattr(error, "exceptions", ())
    if not nested:
        yield error
    for inner in nested:
        yield from _leaves(inner)


def _silence_stdout() -> None:
    """Send the last flush of the interpreter nowhere, because the reader of the output is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
