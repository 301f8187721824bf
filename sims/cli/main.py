"""The group of commands. Only here, errors become a line on stderr and an exit code."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence

import cattrs  # noqa: F401  (commands need it; its absence is reported at once)
import click

from gossip.core.errors import ConfigurationError

from ..names import PROGRAM
from .terminal import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_USAGE

COMMANDS = {
    "list": (".scenarios", "list_scenarios"),
    "run": (".single", "run"),
    "sweep": (".many", "sweep"),
    "replay": (".investigate", "replay"),
    "shrink": (".investigate", "shrink"),
    "explain": (".investigate", "explain"),
}
"""The module of this package that has each command, and the command's name in it."""

WRITTEN = "python -m sims"
"""The name of the program in the docstrings of commands. Help texts replace it by the name under which it runs."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of writing when a disk, a quota or the largest size of a file is used up."""


class LazyGroup(click.Group):
    """Imports a command only when it is needed, because some of them import much."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module, __package__), name)
        assert isinstance(command, click.Command)
        return _called_right(command)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Simulations: whole clusters in virtual time, on a network that can fail in every way.

    \b
    Examples:
      python -m sims list
      python -m sims run crash --nodes 64 --seed 7 --set victims=tenth
      python -m sims sweep churn --seeds 0..99 --loss 0.1 --out churn.jsonl
      python -m sims explain 7 n23 --scenario crash --nodes 64

    \b
    Exit codes:
      0    no run violated anything
      1    a run violated something, or failed
      2    the command line is wrong
      130  interrupted by Ctrl-C
    """


def _called_right(command: click.Command) -> click.Command:
    command.help = (command.help or "").replace(WRITTEN, PROGRAM)
    return command


_called_right(main)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may have letters that the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        code = main.main(list(arguments), prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except ConfigurationError as error:
        return _complain(PROGRAM, str(error), EXIT_USAGE)
    except click.ClickException as error:
        return _explain(error)
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.EPIPE, *NO_ROOM):
            raise
        _silence_stdout()
        if error.errno in NO_ROOM:
            _complain(PROGRAM, f"the output cannot be written: {error.strerror}", EXIT_FAILURE)
        return EXIT_FAILURE
    return code if isinstance(code, int) else 0


def _explain(error: click.ClickException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # click 8.2 and later; 8.1 prints the help by itself
        error.show()
        return EXIT_USAGE
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    hint = f" (see: {path} --help)" if isinstance(error, click.UsageError) else ""
    return _complain(path, error.format_message() + hint, error.exit_code)


def _complain(who: str, text: str, code: int) -> int:
    line = " ".join(text.split())
    print(f"{who}: {line}", file=sys.stderr)
    return code


def _silence_stdout() -> None:
    """Send Python's last flush nowhere, because nobody reads the output any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
