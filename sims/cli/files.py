"""Files that a command writes. The command checks that it can write them before anything runs."""

from __future__ import annotations

from pathlib import Path

import click

STANDARD_OUTPUT = Path("-")
"""A dash stands for standard output."""


def writable(_: click.Context, __: click.Parameter, text: str | None) -> Path | None:
    """Callback of an option for a file to be written. The file keeps its content until then."""
    if text is None:
        return None
    path = Path(text)
    is_new = not path.exists()
    try:
        path.open("ab").close()
        if is_new:
            path.unlink()
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be written: {error.strerror}") from error
    return path


def resumable(context: click.Context, parameter: click.Parameter, text: str | None) -> Path | None:
    """The same for a file that is read first, so that it can be continued. A device or a pipe has no end to wait
    for."""
    if text is not None and Path(text).exists() and not Path(text).is_file():
        raise click.BadParameter(
            f"{text} is not a regular file, so earlier outcomes cannot be read from it; name another file"
        )
    return writable(context, parameter, text)


def writable_or_dash(context: click.Context, parameter: click.Parameter, text: str | None) -> Path | None:
    """The same for a file that may be standard output."""
    return STANDARD_OUTPUT if text == "-" else writable(context, parameter, text)


def write(path: Path, text: str) -> None:
    """Write a whole file, or to standard output.

    :raises click.ClickException: if the file cannot be written, although it could be opened before.
    """
    if path == STANDARD_OUTPUT:
        click.echo(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
