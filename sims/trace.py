"""Traces: a run as lines of JSON for people to read, and for a later run to be compared with.

The first line holds the plan, the last one the trace hash and the outcome. Between them stands a line for each
datagram, frame, event, start and stop, and for each thing done from outside, in the order in which they happened.
Times are rounded to microseconds and nothing depends on the wall clock, so the same run gives the same file, to the
last byte. The hash takes in more than the lines do; the lines show where two runs part.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TextIO

import attrs

from gossip.core.address import Address
from gossip.core.errors import ConfigurationError
from gossip.core.events import MembershipEvent
from gossip.core.wire import CHECKSUM_BYTES, CLUSTER_TAG_BYTES, KINDS

from .node import SimulatedNode
from .observer import Observer
from .outcome import Outcome
from .plan import Plan
from .run import Run

FORMAT = 1
"""Version of the form of the lines; a trace of another version is not read."""

CONTEXT_LINES = 5
"""Lines shown before the first that differs, and from there on: what led to it, on less than a screen."""

KIND_AT = 3 + CLUSTER_TAG_BYTES
"""Where a message has its kind: after the head of the array, the version, and the cluster with its own head, each
of one byte but the cluster itself. So nothing has to be decoded to name a kind."""

_KINDS = {kind: re.sub("(?<=[a-z])(?=[A-Z])", "_", body.__name__).upper() for body, kind in KINDS.items()}
_END = '{"hash": '
"""How the last line begins, and no other."""


def kind_of(data: bytes) -> str:
    """The kind of an encoded message, as the description of the protocol calls it."""
    return _KINDS[data[KIND_AT]]


def _rounded(seconds: float) -> float:
    return round(seconds, 6)


class _Lines(Observer):
    """Makes a line of each occurrence and hands it to :meth:`take`."""

    def __init__(self, plan: Plan) -> None:
        self._groups = {name: {"group": group} for group, names in plan.groups.items() for name in names}

    def take(self, line: str) -> None:
        """Take in the next line."""
        raise NotImplementedError

    def started(self, node: SimulatedNode) -> None:
        """A line for a process that begins."""
        who = node.protocol.local
        self._tell(start=node.key, name=who.name, generation=who.generation, id=f"{who.id:016x}",
                   address=str(node.address), **self._groups.get(node.key, {}))  # fmt: skip

    def stopped(self, node: SimulatedNode) -> None:
        """A line for a process that ends."""
        self._tell(stop=node.key)

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """A line for a datagram."""
        fate: dict[str, Any] = {"arrives": [_rounded(self.sim.now + delay) for delay, _ in arrivals]}
        if not arrivals:
            fate = {"lost": lost_to}
        elif any(copy != data for _, copy in arrivals):
            fate["damaged"] = True
        self._tell_message("sent", data, node, self._key_at(destination), fate)

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """A line for a frame of a stream."""
        fate = {"lost": "cut"} if delay is None else {"arrives": [_rounded(self.sim.now + delay)]}
        self._tell_message("framed", data, node, peer.key, fate)

    def happened(self, node: SimulatedNode, event: MembershipEvent, cause: Address | None) -> None:
        """A line for an event."""
        who, more = event.member, dict[str, Any]()
        if event.accusers:
            more = {"accusers": event.accusers, "floor": event.floor}
        if cause is not None:
            more["told_by"] = self._key_at(cause)
        self._tell(event=event.kind.value, member=who.name, generation=who.generation, at_node=node.key,
                   alive=event.alive, **more)  # fmt: skip

    def noted(self, text: str) -> None:
        """A line for what is done from outside."""
        self._tell(note=text)

    def _tell(self, **what: Any) -> None:
        self.take(json.dumps({"t": _rounded(self.sim.now), **what}) + "\n")

    def _tell_message(self, how: str, data: bytes, node: SimulatedNode, to: str, fate: dict[str, Any]) -> None:
        checksum = data[-CHECKSUM_BYTES:].hex()
        self._tell(**{how: kind_of(data), "from": node.key, "to": to, "bytes": len(data), "crc": checksum}, **fate)

    def _key_at(self, address: Address) -> str:
        node = self.sim.node_at(address)
        return str(address) if node is None else node.key


class TraceWriter(_Lines):
    """Writes the trace of one run; give it to the run as an observer, and :meth:`finish` it afterwards."""

    def __init__(self, plan: Plan, file: TextIO) -> None:
        """Write the first line.

        :param file: to write to; it stays the caller's to close.
        """
        super().__init__(plan)
        self._file = file
        file.write(json.dumps({"trace": FORMAT, "plan": json.loads(plan.to_json())}) + "\n")

    def take(self, line: str) -> None:
        """Write a line."""
        self._file.write(line)

    def finish(self, outcome: Outcome) -> None:
        """Write the last line. A trace without it counts as truncated."""
        facts = attrs.asdict(outcome)
        del facts["wall_s"]
        self._file.write(json.dumps({"hash": facts.pop("trace_hash"), "outcome": facts}) + "\n")


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
        if line.endswith("\n") and not line.startswith(_END):
            return line
        self.has_ended = True
        if line.endswith("\n"):
            self.hash = line[len(_END) :].split('"')[1]
        return None


class _Comparison(_Lines):
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
