"""Replaying: run the plan of a trace again, and compare each line of the new run with the recorded one."""

from __future__ import annotations

import json
import tempfile
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TextIO

import attrs

from gossip.core.errors import ConfigurationError

from ..plan import Plan
from ..running import Outcome, Run
from .trace import END, FORMAT, Lines, TraceWriter

CONTEXT_LINES = 5
"""Lines shown before the first difference and from there on: enough context on less than a screen."""


@attrs.frozen(kw_only=True)
class Difference:
    """The first difference between a run and its trace."""

    line: int
    """Number of the first different line, counted from 1 as in an editor."""
    before: tuple[str, ...]
    """The last equal lines."""
    recorded: tuple[str, ...]
    """The lines of the trace from there on. Empty if it has no more."""
    replayed: tuple[str, ...]
    """The lines of the new run from there on. Empty if it has no more."""


@attrs.frozen(kw_only=True)
class Replay:
    """The result of a replay."""

    plan: Plan
    outcome: Outcome
    """Of the new run."""
    recorded_hash: str | None
    """Trace hash of the recorded run; None if the trace is truncated."""
    lines: int
    """Equal lines, including the first line of the trace."""
    difference: Difference | None
    """None if no line differs as far as the trace goes."""

    @property
    def is_truncated(self) -> bool:
        """Whether the trace lacks its end, so that only a part of the run could be compared."""
        return self.recorded_hash is None

    @property
    def is_same(self) -> bool:
        """Whether the new run equals the recorded one, as far as the trace goes: in every line, and in the hash."""
        return self.difference is None and self.recorded_hash in (None, self.outcome.trace_hash)

    def __str__(self) -> str:
        now = f"trace hash {self.outcome.trace_hash}"
        if self.is_same and self.is_truncated:
            return f"The same run as far as the trace goes: it is truncated after line {self.lines}. Now it has {now}."
        if self.is_same:
            return f"The same run: {self.lines - 1} occurrences, {now}."
        if self.difference is None:
            return (
                f"Not the same run: it has {now}, and had {self.recorded_hash}. No line differs, so either times "
                "differ by less than a microsecond, as with another machine's arithmetic, or the hash is made "
                "of something else now."
            )
        return f"Not the same run, from line {self.difference.line} of the trace on. Now it has {now}.{self._shown()}"

    def _shown(self) -> str:
        if self.difference is None:
            return ""
        parts = (
            ("the same:", self.difference.before, " "),
            ("recorded:", self.difference.recorded or ("nothing more",), "-"),
            ("now:", self.difference.replayed or ("nothing more",), "+"),
        )
        return "".join(f"\n{title}" + "".join(f"\n  {mark} {each}" for each in lines) for title, lines, mark in parts)


def replay(path: Path) -> Replay:
    """Run the plan of a trace again and compare.

    The trace must be of a run with checks, which is the default of a run.

    :raises ConfigurationError: if the file cannot be read or is no trace; the text says why.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            plan = _plan_of(file.readline(), path)
            comparison = _Comparison(plan, _Recording(file))
            outcome = Run(plan, observers=[comparison]).run()
            comparison.finish()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    return Replay(
        plan=plan, outcome=outcome, recorded_hash=comparison.recording.hash, lines=comparison.lines,
        difference=comparison.difference,
    )  # fmt: skip


def run_twice(plan: Plan) -> Replay:
    """Run a plan twice, the second time in a process of its own, and compare.

    The two runs share nothing. The second process iterates over sets of texts in another order.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "trace.jsonl"
        with path.open("w", encoding="utf-8") as file:
            writer = TraceWriter(plan, file)
            writer.finish(Run(plan, observers=[writer]).run())
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
            return pool.submit(replay, path).result()


def _plan_of(line: str, path: Path) -> Plan:
    try:
        header = json.loads(line)
    except ValueError:
        if line.startswith('{"trace": ') and not line.endswith("\n"):
            raise ConfigurationError(
                f"{path} ends within the plan of its trace, so it cannot be replayed; write the trace again"
            ) from None
        header = None
    if not isinstance(header, dict) or "trace" not in header or "plan" not in header:
        raise ConfigurationError(f"{path} is not a trace of a simulation: its first line holds no plan")
    if header["trace"] != FORMAT:
        raise ConfigurationError(
            f"{path} is a trace of format {header['trace']!r}; this version reads format {FORMAT} only"
        )
    return Plan.from_json(json.dumps(header["plan"]))


class _Recording:
    """Reads the lines of a trace after the first, one by one."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.hash: str | None = None
        """The trace hash, once the last line has been read."""
        self.has_ended = False

    def next(self) -> str | None:
        """The next line; None after the last one, or where the trace is cut off."""
        line = "" if self.has_ended else self._file.readline()
        if line.endswith("\n") and not line.startswith(END):
            return line
        self.has_ended = True
        if line.endswith("\n"):
            self.hash = line[len(END) :].split('"')[1]
        return None


class _Comparison(Lines):
    """Compares each line of a run with the recorded one. It keeps only a few lines."""

    def __init__(self, plan: Plan, recording: _Recording) -> None:
        super().__init__(plan)
        self.recording = recording
        self.lines = 1
        self._before: deque[str] = deque(maxlen=CONTEXT_LINES)
        self._recorded: list[str] = []
        self._replayed: list[str] = []

    def take(self, line: str) -> None:
        """Compare a line with the next recorded one, until one differs."""
        if self._differs:
            if len(self._replayed) < CONTEXT_LINES:
                self._replayed.append(line)
            return
        recorded = self.recording.next()
        if recorded == line:
            self.lines += 1
            self._before.append(line)
        elif recorded is not None:
            self._recorded.append(recorded)
            self._replayed.append(line)
        elif self.recording.hash is not None:
            self._replayed.append(line)

    def finish(self) -> None:
        """The run is over. Lines that are left of the recording are a difference."""
        while (line := self.recording.next()) is not None:
            if len(self._recorded) < CONTEXT_LINES:
                self._recorded.append(line)

    @property
    def difference(self) -> Difference | None:
        """The first difference; None if there is none."""
        if not self._differs:
            return None
        before, recorded, replayed = (
            tuple(each.rstrip("\n") for each in lines) for lines in (self._before, self._recorded, self._replayed)
        )
        return Difference(line=self.lines + 1, before=before, recorded=recorded, replayed=replayed)

    @property
    def _differs(self) -> bool:
        return bool(self._recorded or self._replayed)
