"""Files that a command writes: whether they can be written is found out before anything runs."""

from __future__ import annotations

from pathlib import Path

import click

STANDARD_OUTPUT = Path("-")
"""Stands for it."""


def writable(_: click.Context, __: click.Parameter, text: str | None) -> Path | None:
    """Callback of an option that names a file to be written; what is in it stays there until then."""
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
    """The same for one that is read first, to go on where it ends: a device or a pipe has no end to wait for."""
    if text is not None and Path(text).exists() and not Path(text).is_file():
        raise click.BadParameter(f"{text} is no regular file, and what it holds is to be read first; name another one")
    return writable(context, parameter, text)


def writable_or_dash(context: click.Context, parameter: click.Parameter, text: str | None) -> Path | None:
    """The same for one that may be standard output, which a dash stands for."""
    return STANDARD_OUTPUT if text == "-" else writable(context, parameter, text)


def write(path: Path, text: str) -> None:
    """Write a whole file, or to standard output.

    :raises click.ClickException: if that does not work, although it could be opened before.
    """
    if path == STANDARD_OUTPUT:
        click.echo(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
