"""Replaying: the plan of a trace is run again, and each line of the new run compared with the recorded one."""

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
"""Lines shown before the first that differs, and from there on: what led to it, on less than a screen."""


@attrs.frozen(kw_only=True)
class Difference:
    """Where a run parts from its trace."""

    line: int
    """Number of the first line that differs, counted from 1 as in an editor."""
    before: tuple[str, ...]
    """The last lines that are the same."""
    recorded: tuple[str, ...]
    """The lines of the trace from there on; none if it has no more."""
    replayed: tuple[str, ...]
    """The lines of the new run from there on; none if it has no more."""


@attrs.frozen(kw_only=True)
class Replay:
    """What came of running the plan of a trace again."""

    plan: Plan
    outcome: Outcome
    """Of the new run."""
    recorded_hash: str | None
    """Of the run that was recorded; None if the trace is truncated."""
    lines: int
    """Lines of the trace that the new run repeated, the first included."""
    difference: Difference | None
    """The first line that differs; None if there is none as far as the trace goes."""

    @property
    def is_truncated(self) -> bool:
        """Whether the trace lacks its end, so that only what there is of it could be compared."""
        return self.recorded_hash is None

    @property
    def is_same(self) -> bool:
        """Whether the new run is the one recorded, as far as the trace goes: by every line, and by the hash."""
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

    The trace must be that of a run with checks, which is how runs are made unless somebody says otherwise.

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
    """Run a plan, and again in a process of its own, and compare.

    Nothing is shared between the two, and what has no order of its own, such as a set of texts, is gone through in
    another one there.
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
                f"{path} is a trace that ends within its plan; there is nothing to replay"
            ) from None
        header = None
    if not isinstance(header, dict) or "trace" not in header or "plan" not in header:
        raise ConfigurationError(f"{path} is no trace of a simulation: its first line holds no plan")
    if header["trace"] != FORMAT:
        raise ConfigurationError(f"{path} is a trace of format {header['trace']!r}; only {FORMAT} can be read")
    return Plan.from_json(json.dumps(header["plan"]))


class _Recording:
    """The lines of a trace after the first, one by one."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.hash: str | None = None
        """The trace hash, once the last line has been read."""
        self.has_ended = False

    def next(self) -> str | None:
        """The next occurrence; None after the last one, and where the trace is cut off."""
        line = "" if self.has_ended else self._file.readline()
        if line.endswith("\n") and not line.startswith(END):
            return line
        self.has_ended = True
        if line.endswith("\n"):
            self.hash = line[len(END) :].split('"')[1]
        return None


class _Comparison(Lines):
    """Compares each line of a run with that of a recording, and keeps but a few."""

    def __init__(self, plan: Plan, recording: _Recording) -> None:
        super().__init__(plan)
        self.recording = recording
        self.lines = 1
        self._before: deque[str] = deque(maxlen=CONTEXT_LINES)
        self._recorded: list[str] = []
        self._replayed: list[str] = []

    def take(self, line: str) -> None:
        """Compare a line with the next one recorded, until one differs."""
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
        """The run is over: whatever is left of the recording, it did not repeat."""
        while (line := self.recording.next()) is not None:
            if len(self._recorded) < CONTEXT_LINES:
                self._recorded.append(line)

    @property
    def difference(self) -> Difference | None:
        """Where the two part."""
        if not self._differs:
            return None
        before, recorded, replayed = (
            tuple(each.rstrip("\n") for each in lines) for lines in (self._before, self._recorded, self._replayed)
        )
        return Difference(line=self.lines + 1, before=before, recorded=recorded, replayed=replayed)

    @property
    def _differs(self) -> bool:
        return bool(self._recorded or self._replayed)
