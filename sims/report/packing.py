"""The recording, packed small: times are whole tenths of a millisecond, and names and texts are numbers in lists."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from gossip.core.wire.messages import ANONYMOUS

from ..watching import Spread
from .beliefs import STATUSES
from .messages import Kept, MessageLog
from .recording import Process, Recording
from .traffic import TrafficLog, shown
from .wording import content, fact_in_words

TICKS_PER_S = 10_000
"""Ticks of a tenth of a millisecond. Messages take several of them at least."""

MAX_CURVE_POINTS = 100
"""The most points of a curve. More would be closer than the eye can see."""

MAX_TRAFFIC_CELLS = 60_000
"""The most cells of nodes times spans: 240 spans of 250 nodes, and wider spans for more nodes."""

NOBODY = -1
"""Stands for a node that is not followed."""


def packed(recording: Recording, groups: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Everything that the page's scripts need.

    :param groups: those of the plan.
    """
    return {
        "ticksPerSecond": TICKS_PER_S,
        "duration": ticks(recording.sim.now),
        "keys": recording.keys.texts,
        "names": recording.names.texts,
        "groups": [[group, list(names)] for group, names in groups.items()],
        "processes": [_process(each) for each in recording.processes if each.lane is not None],
        "generations": [[ticks(at), process.lane, f"{each:016x}"] for at, process, each in recording.generations],
        "notes": [[ticks(at), text] for at, text in recording.notes],
        "beliefs": _beliefs(recording),
        "news": [_news(each, recording) for each in recording.spreads()],
        "newsLeftOut": recording.news.left_out,
        "traffic": _traffic(recording.traffic, recording.sim.now),
        "messages": _messages(recording),
    }


def ticks(seconds: float) -> int:
    """Virtual seconds in the page's units."""
    return round(seconds * TICKS_PER_S)


def _process(process: Process) -> list[int]:
    subject = NOBODY if process.subject is None else process.subject
    assert process.lane is not None
    return [
        process.lane,
        subject,
        ticks(process.began),
        *(-1 if at is None else ticks(at) for at in (process.ended, process.left)),
    ]


def _beliefs(recording: Recording) -> dict[str, Any]:
    log, times = recording.beliefs, [ticks(each) for each in recording.beliefs.times]
    since = ticks(log.since)
    return {
        "statuses": STATUSES,
        "since": since,
        "base": [[part for code, run in groupby(row) for part in (code, len(list(run)))] for row in log.base],
        "times": _differences(since, times),
        "observers": log.observers.tolist(),
        "subjects": log.subjects.tolist(),
        "changed": "".join(map(str, log.statuses)),
    }


def _differences(before: int, times: Iterable[int]) -> list[int]:
    differences = []
    for each in times:
        differences.append(each - before)
        before = each
    return differences


def _news(spread: Spread, recording: Recording) -> list[Any]:
    news = spread.news
    return [news.kind, news.name, ticks(news.at), len(spread.times), spread.missing, curve(spread.times)]


def curve(times: Sequence[float]) -> list[int]:
    """Times, and how many members knew by then, in turn. The first and the last point are always there."""
    step = max(1, math.ceil(len(times) / MAX_CURVE_POINTS))
    counts = sorted({*range(1, len(times) + 1, step), len(times)} - {0})
    by_time = {ticks(times[count - 1]): count for count in counts}
    return [part for point in by_time.items() for part in point]


def _traffic(log: TrafficLog, now: float) -> dict[str, Any]:
    rows = len(log.datagrams) + 1
    factor = max(1, math.ceil(now / log.width * rows / MAX_TRAFFIC_CELLS))
    spans = max(1, round(now / (log.width * factor)))
    return {
        "width": ticks(log.width * factor),
        "datagrams": [shown(row, spans, factor) for row in log.datagrams],
        "bytes": [shown(row, spans, factor) for row in log.bytes],
        "otherDatagrams": shown(log.other_datagrams, spans, factor),
        "otherBytes": shown(log.other_bytes, spans, factor),
    }


# --- messages


class _Texts:
    """A list of texts without repetitions."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))


def _messages(recording: Recording) -> dict[str, Any]:
    log: MessageLog = recording.messages
    log.finish(recording.sim.now)
    kinds, reasons, facts = _Texts(), _Texts(), _Texts()
    return {
        "rows": [
            _message(each, recording, kinds, reasons, facts) for each in sorted(log.kept, key=lambda kept: kept.at)
        ],
        "spans": [[ticks(since), ticks(until)] for since, until in log.spans],
        "kinds": list(kinds.texts),
        "reasons": list(reasons.texts),
        "facts": list(facts.texts),
    }


def _missed_by(there: Sequence[Process], kept: Kept) -> str:
    """A word for a message that arrives where no process runs."""
    arrives = kept.at + kept.arrivals[0]
    return (
        ""
        if any(each.began <= arrives and (each.ended is None or arrives < each.ended) for each in there)
        else "nobody"
    )


def _message(kept: Kept, recording: Recording, kinds: _Texts, reasons: _Texts, facts: _Texts) -> list[Any]:
    """Sent at, sender, receiver, delay, kind, why lost, bytes, copies, is a frame, about whom, more facts, facts."""
    inside = content(recording.codec, kept.content) if isinstance(kept.content, bytes) else kept.content
    there = recording.processes_at(kept.receiver)
    receiver = there[-1].lane if there else None
    about = recording.name_of(inside.about) if inside.about != ANONYMOUS else ""
    return [
        ticks(kept.at),
        kept.sender,
        NOBODY if receiver is None else receiver,
        ticks(kept.arrivals[0]) if kept.arrivals else -1,
        kinds.number(inside.kind),
        reasons.number(kept.lost_to or _missed_by(there, kept)),
        kept.size,
        len(kept.arrivals),
        int(kept.is_frame),
        facts.number(about),
        inside.more_facts,
        *(facts.number(fact_in_words(fact, recording.name_of)) for fact in inside.facts),
    ]
