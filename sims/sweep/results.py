"""The file of a sweep: outcomes as lines of JSON, written as each run ends, so that a sweep can be resumed.

The first line is a plan of the sweep. If the same seed gives another plan now, the file belongs to another sweep and is
not changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from cattrs import Converter, transform_error

from gossip.core.errors import ConfigurationError

from ..plan import Plan
from ..running import Outcome
from .request import Request

_converter = Converter(forbid_extra_keys=True)


def outcome_from_data(data: Any) -> Outcome:
    """Read the parsed JSON of an outcome, as :meth:`sims.running.Outcome.to_json` writes it.

    :raises ConfigurationError: if the data is no outcome.
    """
    try:
        return _converter.structure(data, Outcome)
    except Exception as error:  # cattrs groups all errors of the fields' converters
        raise ConfigurationError(f"this is not an outcome of a run: {'; '.join(transform_error(error))}") from error


class ResultsFile:
    """Outcomes in a file. Enter it as a context. The constructor reads what the file already holds."""

    def __init__(self, path: Path, request: Request, first_seed: int) -> None:
        """Read the file, or begin it.

        An incomplete last line, left by a process that was killed, is removed.

        :param first_seed: the seed whose plan becomes the first line of a new file.
        :raises ConfigurationError: if the file belongs to another sweep, or to no sweep.
        :raises OSError: if the file cannot be read or written.
        """
        self.outcomes: dict[int, Outcome] = {}
        """By seed."""
        self._path = path
        self._file: BinaryIO = path.open("a+b")
        try:
            self._read(request, _header(request.plan(first_seed)))
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, outcome: Outcome) -> None:
        """Write an outcome at once, so that it stays even if this process is killed."""
        self.outcomes[outcome.seed] = outcome
        self._write(outcome.to_json().encode() + b"\n")

    def _write(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()

    def _read(self, request: Request, header: bytes) -> None:
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.splitlines()
        if lines:
            self._check_header(lines[0], request)
        elif not header.startswith(content):
            raise self._no_results()
        for number, line in enumerate(lines[1:], start=2):
            outcome = self._outcome(number, line)
            self.outcomes[outcome.seed] = outcome
        self._file.truncate(len(whole))
        if not lines:
            self._write(header)

    def _check_header(self, line: bytes, request: Request) -> None:
        try:
            plan = Plan.from_json(json.dumps(json.loads(line)["plan"]))
        except (ValueError, KeyError, TypeError):  # a ConfigurationError is a ValueError
            raise self._no_results() from None
        if request.plan(plan.seed) != plan:
            raise ConfigurationError(
                f"{self._path} holds another sweep: its first line is the plan of seed {plan.seed}, and these options "
                "give another plan; name another file, or remove this one"
            )

    def _outcome(self, number: int, line: bytes) -> Outcome:
        try:
            return outcome_from_data(json.loads(line))
        except ValueError as error:
            raise ConfigurationError(f"{self._path}, line {number}: {error}; remove the line, or the file") from None

    def _no_results(self) -> ConfigurationError:
        return ConfigurationError(f"{self._path} is not the file of a sweep; name another file")


def _header(plan: Plan) -> bytes:
    return f'{{"plan": {plan.to_json()}}}\n'.encode()
