"""Metadata as people write it: ``--meta KEY=VALUE`` and files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

MAX_FILE_BYTES = 65_536
"""Four times the most metadata of any configuration. A larger file is surely not a metadata file."""


class MetadataError(ValueError):
    """A text is no metadata; the error says why."""


def parse_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """Read ``KEY=VALUE`` texts; a value may contain further ``=``.

    :raises MetadataError: for a text without ``=``, an empty key, or a key given twice.
    """
    metadata: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise MetadataError(f"{pair!r} is not KEY=VALUE")
        if key in metadata:
            raise MetadataError(f"the key {key!r} is given twice")
        metadata[key] = value
    return metadata


def parse_file_text(text: str) -> dict[str, str]:
    """Read a JSON object of strings, or lines of ``KEY=VALUE``.

    It skips empty lines, lines that begin with ``#``, and spaces around keys and values.

    :raises MetadataError: if it is neither.
    """
    if text.lstrip().startswith("{"):
        return _parse_json(text)
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return parse_pairs(f"{key.rstrip()}{equals}{value.lstrip()}" for key, equals, value in pairs)


def _parse_json(text: str) -> dict[str, str]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MetadataError(f"it begins like JSON, but it is not JSON: {error}") from error
    wrong = [key for key, value in content.items() if not isinstance(value, str)]
    if wrong:
        raise MetadataError(f"the value of {wrong[0]!r} is not a string")
    return dict(content)


def read_file(path: Path) -> dict[str, str]:
    """Read a metadata file.

    :raises MetadataError: if it cannot be read or is no metadata; the text names the file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise MetadataError(f"it has more than {MAX_FILE_BYTES} bytes")
        return parse_file_text(data.decode())
    except OSError as error:
        raise MetadataError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # includes MetadataError and UnicodeDecodeError
        raise MetadataError(f"{path}: {error}") from error


def combined(path: Path | None, given: Mapping[str, str]) -> dict[str, str]:
    """The metadata of the file; that of the command line takes precedence.

    :raises MetadataError: as :func:`read_file`.
    """
    return (read_file(path) if path is not None else {}) | dict(given)
