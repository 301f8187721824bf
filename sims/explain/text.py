"""The text of an account: short lines, indented. Times are told from the first failed probe, and from the beginning."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

import attrs

from ..steps import Step
from .datagrams import Datagram, Datagrams, fates
from .doubts import Doubt, Opinion

MAX_LISTED = 8
"""Of more than so many that came to know the same, only the first and the last and their tellers are told."""

MAX_TELLERS = 4
"""Tellers named in one line, those first that told most."""

WIDTH = 116
"""Columns of a line, without the indent of the whole."""

_INDENT = " " * 22
"""Before a line that goes on about the moment of the last one."""


@attrs.frozen
class _Teller:
    """Tells one doubt."""

    doubt: Doubt
    faults: tuple[Step, ...]
    """Steps of the plan that harm the member."""
    accusers_faults: tuple[Step, ...]
    """Steps of the plan that harm its accusers, and not the member."""
    datagrams: Datagrams

    def lines(self) -> Iterator[str]:
        """All of it."""
        doubt = self.doubt
        zero = "first failed probe" if any(each.asked for each in doubt.accusers) else "first word"
        yield f"Times are seconds since the {zero} at {doubt.zero:.3f} s, and since the beginning of the run."
        yield from self._circumstances()
        yield from _section("Who asked the member in vain, and accused it", self._accusers())
        yield from _section("How the suspicion spread", self._suspicion())
        yield from _section("Convictions heard of, and not believed at once", self._hearsay())
        if doubt.is_death:
            yield from _section("How the conviction spread", self._conviction())
            yield from _section("Who held it dead", self._held())
        yield from _section("What would have cleared it", self._clearing())
        yield from _section("What became of its datagrams meanwhile", self._network())
        yield from _section("How it ended", self._end())

    # --- circumstances

    def _circumstances(self) -> Iterator[str]:
        doubt, life = self.doubt, self.doubt.life
        wrong = "this death is false" if doubt.is_death else "this suspicion was false"
        if doubt.was_running:
            yield f"It was running: {wrong}."
        elif life.ended is not None:
            yield f"It was not running: its process had ended at {self._both(life.ended)}."
        if life.left_at is not None and life.left_at <= doubt.began:
            yield f"It had said farewell at {self._both(life.left_at)}."
        yield from _section("Faults that touch it", map(str, self.faults))
        if doubt.was_running:
            yield from _section("Faults that touch its accusers only", map(str, self.accusers_faults))
            if not self.faults and not self.accusers_faults:
                yield "No step of the plan touches it or its accusers."

    # --- accusers

    def _accusers(self) -> Iterator[str]:
        accusers = self.doubt.accusers
        if not accusers:
            yield "nobody accused it; the accusation came from outside"
        for opinion in accusers[:MAX_LISTED]:
            yield opinion.key
            yield from (f"  {line}" for line in self._accuser(opinion))
        if len(accusers) > MAX_LISTED:
            yield f"and {_some(len(accusers) - MAX_LISTED, 'accuser')} more"

    def _accuser(self, opinion: Opinion) -> Iterator[str]:
        accusation = opinion.accusation
        assert accusation is not None
        probes = sorted(opinion.asked, key=lambda each: each.began)
        before = [each for each in probes if opinion.at(each.began) <= accusation.at]
        for asked in probes[: len(before)]:
            yield from self._moment(opinion.at(asked.began), str(asked))
        what = "raises the floor to" if accusation.raised else "joins the accusers at floor"
        counters = accusation.counters
        stood = "" if counters.runs else ", while its process did not run"
        yield from self._moment(
            accusation.at,
            f"{what} {accusation.floor}; it has seen {counters.seen}, and the member's own counter stands at "
            f"{counters.own}{stood}",
        )
        if before:
            yield _INDENT + self._between(opinion.key, opinion.at(before[0].began), accusation.at)
        for asked in probes[len(before) :]:
            yield from self._moment(opinion.at(asked.began), str(asked))

    def _between(self, key: str, since: float, until: float) -> str:
        member = self.doubt.life.node.key
        to_it = self.datagrams.between(since, until, source=key, destination=member)
        from_it = self.datagrams.between(since, until, source=member, destination=key)
        return f"datagrams until then: to the member: {self._fates(to_it)}; from it: {self._fates(from_it)}"

    # --- how news spread

    def _suspicion(self) -> Iterator[str]:
        suspected = self.doubt.suspected
        found = [(each.since, each.key, self._accused(each)) for each in suspected if each.suspected_by is None]
        told = [(each.since, each.key, each.suspected_by) for each in suspected if each.suspected_by is not None]
        yield from self._spread(found, told, suspected[0].since)

    def _conviction(self) -> Iterator[str]:
        found: list[tuple[float, str, str]] = []
        told: list[tuple[float, str, str]] = []
        for each in self.doubt.died:
            assert each.died_at is not None
            if each.convicted_by is None:
                how = "by itself" if each.conviction is not None else "without evidence in its core"
                found.append((each.died_at, each.key, f"{how}, {_reason(each)}"))
            elif each.hearsay is not None:
                found.append((each.died_at, each.key, f"since nothing refuted what it had heard, {_reason(each)}"))
            else:
                told.append((each.died_at, each.key, each.convicted_by))
        yield from self._spread(found, told, self.doubt.decided or 0.0)

    def _accused(self, opinion: Opinion) -> str:
        if opinion.accusation is not None:
            return f"by itself, at floor {opinion.accusation.floor}"
        return f"without evidence in its core, {_reason(opinion)}"

    def _spread(self, found: Sequence[tuple[float, str, str]], told: Sequence[tuple[float, str, str]],
                began: float) -> Iterator[str]:  # fmt: skip
        """Who came to know: by themselves, with the reason; and through others, with the name of the teller."""
        for at, key, how in found[:MAX_LISTED]:
            yield from self._moment(at, f"{key}, {how}")
        if len(found) > MAX_LISTED:
            yield f"{_INDENT}and {len(found) - MAX_LISTED} more by themselves"
        if len(told) <= MAX_LISTED:
            for at, key, teller in told:
                yield f"{self._stamp(at)}  {key}, told by {teller}{_later(at - began)}"
            return
        (at, key, teller), (last_at, last, last_teller) = told[0], told[-1]
        yield f"{self._stamp(at)}  {key} was the first to be told, by {teller}"
        yield f"{self._stamp(median(each for each, _, _ in told))}  half of the {len(told)} knew"
        yield f"{self._stamp(last_at)}  {last} was the last, told by {last_teller}{_later(last_at - began)}"
        tellers = Counter(each for _, _, each in told)
        most = ", ".join(f"{each} told {count}" for each, count in tellers.most_common(MAX_TELLERS))
        others = len(tellers) - MAX_TELLERS
        yield _INDENT + most + (f", {_some(others, 'other')} the rest" if others > 0 else "")

    def _hearsay(self) -> Iterator[str]:
        """A conviction that comes as a surprise counts as an accusation until the member has had time to refute it."""
        heard = [(each.at(told.at), each, told) for each in self.doubt.opinions if (told := each.hearsay) is not None]
        for at, opinion, told in heard[:MAX_LISTED]:
            end = self._end_of_wait(opinion, at)
            yield f"{self._stamp(at)}  {opinion.key}, told by {told.by} at floor {told.floor}; {end}"
        if len(heard) > MAX_LISTED:
            yield f"{_INDENT}and {len(heard) - MAX_LISTED} more"

    def _end_of_wait(self, opinion: Opinion, since: float) -> str:
        if opinion.died_at is not None:
            return f"not refuted for {opinion.died_at - since:.3f} s, and so believed"
        if opinion.ended is None:
            return "neither refuted nor believed before the end of the run"
        return f"after {opinion.ended - since:.3f} s: {opinion.end}"

    # --- how long it was held dead

    def _held(self) -> Iterator[str]:
        held = [each for each in self.doubt.opinions if each.died_at is not None]
        held.sort(key=lambda each: each.died_at or 0.0)
        if len(held) <= MAX_LISTED:
            for each in held:
                yield f"{self._stamp(each.died_at or 0.0)}  {each.key}, {self._until(each)}"
            return
        yield f"{self._stamp(held[0].died_at or 0.0)}  {held[0].key} was the first"
        yield f"{self._stamp(held[-1].died_at or 0.0)}  {held[-1].key} was the last of {len({e.key for e in held})}"
        over = sorted(each.ended for each in held if each.ended is not None)
        for_ever = len(held) - len(over)
        if for_ever:
            yield f"{_INDENT}{for_ever} until the end of the run"
        if over:
            yield f"{_INDENT}{len(over)} until some time from {self._both(over[0])} to {self._both(over[-1])}"

    def _until(self, held: Opinion) -> str:
        if held.ended is None:
            return "until the end of the run"
        return f"until {self._both(held.ended)}, for {held.ended - (held.died_at or 0.0):.3f} s"

    # --- what would have cleared it

    def _clearing(self) -> Iterator[str]:
        doubt, decided, reached = self.doubt, self.doubt.decided, self.doubt.reached
        before = "" if decided is None else f", seen before {self._both(decided)}"
        yield f"a counter of {doubt.floor} or more{before}"
        if reached is None:
            yield "the member's own counter did not get there"
        elif decided is not None and reached > decided:
            yield f"the member's own counter got there after its conviction, at {self._both(reached)}"
        else:
            yield f"the member's own counter got there at {self._both(reached)}"
            until = self.doubt.ended if decided is None else decided
            yield f"the datagrams with which it showed that: {self._fates(self._from_it(reached, until))}"
        if doubt.died and doubt.died[0].evidence.floor > doubt.floor:
            yield f"after the conviction, a counter of {doubt.died[0].evidence.floor} or more, or a restart"

    def _network(self) -> Iterator[str]:
        doubt, member = self.doubt, self.doubt.life.node.key
        until = doubt.ended if doubt.decided is None else doubt.decided
        sent = self._from_it(doubt.zero, until)
        asked = self.datagrams.between(doubt.zero, float("inf") if until is None else until, destination=member)
        yield f"to the member: {self._fates(asked)}"
        yield f"from the member: {self._fates(sent)}"
        accusers = {each.key for each in doubt.accusers}
        heard = {each.destination for each in sent if each.handled is not None and not each.is_damaged}
        if others := heard - accusers:
            yield f"{_some(len(others), 'member')} that did not accuse it heard it meanwhile: {_names(sorted(others))}"

    def _from_it(self, since: float, until: float | None) -> list[Datagram]:
        last = float("inf") if until is None else until
        return self.datagrams.between(since, last, source=self.doubt.life.node.key)

    def _fates(self, datagrams: Iterable[Datagram]) -> str:
        member, life = self.doubt.life.node.key, self.doubt.life
        return fates(
            datagrams, lambda each, at: each.destination == member and life.ended is not None and at >= life.ended
        )

    # --- how it ended

    def _end(self) -> Iterator[str]:
        if self.doubt.ended is None:
            yield "it did not, before the end of the run"
        last: dict[int, Opinion] = {id(each.node): each for each in self.doubt.opinions}
        ended = sorted((each.ended, each.key, each.end) for each in last.values() if each.ended is not None)
        for at, key, how in ended[: 1 if len(ended) > MAX_LISTED else MAX_LISTED]:
            yield f"{self._stamp(at)}  {key}: {how}"
        if len(ended) > MAX_LISTED:
            at, key, _ = ended[-1]
            yield f"{self._stamp(at)}  {key} was the last of {len(ended)}"

    # --- times

    def _moment(self, at: float, text: str) -> Iterator[str]:
        """What happened at a moment, in as many lines as it takes."""
        yield from textwrap.wrap(
            text, WIDTH - 2, initial_indent=f"{self._stamp(at)}  ", subsequent_indent=_INDENT,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip

    def _stamp(self, at: float) -> str:
        return f"{at - self.doubt.zero:+9.3f}  {at:9.3f}"

    def _both(self, at: float) -> str:
        return f"{at - self.doubt.zero:+.3f} ({at:.3f} s)"


def doubt_lines(
    doubt: Doubt, faults: tuple[Step, ...], accusers_faults: tuple[Step, ...], datagrams: Datagrams
) -> list[str]:
    """The lines that tell one doubt."""
    return list(_Teller(doubt, faults, accusers_faults, datagrams).lines())


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield f"{title}:"
        yield from (f"  {line}" for line in body)


def _reason(opinion: Opinion) -> str:
    evidence = opinion.evidence
    accusers = f", accused by {_names(evidence.accusers)}" if evidence.accusers else ""
    return f"at floor {evidence.floor}, having seen {evidence.counter}{accusers}"


def _later(seconds: float) -> str:
    return f", {seconds:.3f} s after the first" if seconds > 0 else ""


def _names(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:MAX_LISTED])
    return shown + (f" and {len(keys) - MAX_LISTED} more" if len(keys) > MAX_LISTED else "")


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
