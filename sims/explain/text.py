"""The text of an explanation: short lines, indented, with times since the first question in vain, and absolute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

import attrs

from gossip.core.events import EventKind
from gossip.core.state.member import Status

from .doubts import Case, Doubt, Hearsay, Held
from .evidence import PROMPT_S, Happening, HelpRequest, Inquiry, Question, Sending
from .witness import NOT_CONNECTED

MAX_LISTED = 8
"""Of more than so many that came to know the same, only the first and the last and their tellers are told."""

MAX_TELLERS = 4
"""Tellers named in one line, those first that told most."""

_ARRIVED = "arrived"

_LOST = {
    "loss": "lost",
    "burst": "lost in a burst",
    "cut": "lost to a cut",
    "mtu": "lost to the MTU",
    "queue": "lost to a full queue",
    NOT_CONNECTED: "got no connection",
    "no datagrams": "lost as all datagrams are",
}


@attrs.frozen
class _Teller:
    """Tells one doubt."""

    doubt: Doubt

    def lines(self) -> Iterator[str]:
        """All of it."""
        doubt = self.doubt
        yield f"Times are seconds since {self._zero_is()} at {doubt.zero:.3f} s, and since the beginning of the run."
        yield from self._circumstances()
        yield from _section("Questions in vain, and the accusations that followed", self._cases())
        yield from _section("How the suspicion spread", self._spread(doubt.suspected))
        yield from _section("Convictions heard of, and not believed at once", self._hearsay())
        if doubt.is_death:
            yield from _section("How the conviction spread", self._spread(doubt.died))
            yield from _section("Who held it dead", self._held())
            yield from _section(
                f"What would have cleared it: a counter of {doubt.floor} or more, seen before "
                f"{self._relative(doubt.died[0].at).strip()}",
                self._clearing(doubt.died[0].at),
            )
        yield from _section("How it ended", self._end())

    def _zero_is(self) -> str:
        return "the first unanswered question" if any(case.inquiries for case in self.doubt.cases) else "the first word"

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
        yield from _section("Faults that touch it", map(str, doubt.faults))
        if doubt.was_running:
            yield from _section("Faults that touch its accusers only", map(str, doubt.accusers_faults))
            if not doubt.faults and not doubt.accusers_faults:
                yield "No step of the plan touches it or its accusers."

    # --- questions

    def _cases(self) -> Iterator[str]:
        cases = self.doubt.cases
        if not cases:
            yield "nobody accused it; the accusation came from outside"
        for case in cases[:MAX_LISTED]:
            yield from self._case(case)
        if len(cases) > MAX_LISTED:
            yield f"and {_some(len(cases) - MAX_LISTED, 'accuser')} more"
        others = self.doubt.others_asked
        if others:
            until = self.doubt.decided if self.doubt.decided is not None else float("inf")
            answered = [each for each in others if each.answered_from is not None and each.answered_from <= until]
            yield (
                f"{_some(len({each.asker for each in others}), 'other')} asked it meanwhile, "
                f"{len({each.asker for each in answered}) or 'none'} of them with an answer"
            )

    def _case(self, case: Case) -> Iterator[str]:
        accusation, counters = case.accusation, case.accusation.counters
        yield accusation.accuser
        before = [each for each in case.inquiries if each.at <= accusation.at]
        for inquiry in before:
            yield from self._inquiry(inquiry)
        what = "raised the floor to" if accusation.raised else "joined the accusers at floor"
        yield f"{self._stamp(accusation.at)}  {what} {accusation.floor}"
        stopped = "" if counters.runs else " while its process did not run"
        yield _more(f"it had seen {counters.seen}; the member's own counter stood at {counters.own}{stopped}")
        for inquiry in case.inquiries[len(before) :]:
            yield from self._inquiry(inquiry)

    def _inquiry(self, inquiry: Inquiry) -> Iterator[str]:
        yield f"{self._stamp(inquiry.at)}  " + "; ".join(f"ping: {self._question(each)}" for each in inquiry.pings)
        for request in inquiry.helpers:
            yield _more(f"{request.sending.destination}, asked to help: {self._request(request)}")
        for stream in inquiry.streams:
            yield _more(f"stream: {self._question(stream)}")

    def _question(self, question: Question) -> str:
        asked, answer = question.sending, question.answer
        fate = self._fate(asked)
        if fate != _ARRIVED:
            return fate
        if answer is None:
            return "arrived, and was not answered"
        if question.answered_from is None:
            return f"answered, but the answer {self._fate(answer)}"
        return f"answered, heard at {self._relative(question.answered_from).strip()}"

    def _request(self, request: HelpRequest) -> str:
        if (fate := self._fate(request.sending)) != _ARRIVED:
            return f"the request {fate}"
        asked = Counter(self._question(each) for each in request.questions)
        what = f"{_some(asked.total(), 'ping')}: {_counted(asked)}" if asked else "did not ping it"
        if request.reply is None:
            return f"{what}; did not reply"
        return f"{what}; {'good news' if request.is_good_news else 'NACK'} {self._fate(request.reply)}"

    def _fate(self, sending: Sending) -> str:
        if sending.lost_to:
            return _LOST.get(sending.lost_to, f"lost ({sending.lost_to})")
        if sending.damaged:
            return "arrived damaged"
        if sending.handled is None:
            life, arrives = self.doubt.life, sending.arrives or sending.at
            ended = sending.destination == life.node.key and not life.was_running(arrives)
            return "arrived after its process had ended" if ended else "arrived, and was never handled"
        if sending.arrives is not None and sending.handled - sending.arrives > PROMPT_S:
            return f"arrived, but was not handled until {self._relative(sending.handled).strip()}"
        return _ARRIVED

    # --- how news spread

    def _spread(self, happenings: Sequence[Happening]) -> Iterator[str]:
        found = [each for each in happenings if each.told_by is None]
        waited = [each.end for each in self.doubt.hearsay]
        for each in found[:MAX_LISTED]:
            how = "since nothing refuted what it had heard" if each in waited else "by itself"
            yield f"{self._stamp(each.at)}  {each.key}, {how}, {_reason(each)}"
        if len(found) > MAX_LISTED:
            yield _more(f"and {len(found) - MAX_LISTED} more by themselves")
        told = [each for each in happenings if each.told_by is not None]
        if len(told) <= MAX_LISTED:
            for each in told:
                yield f"{self._stamp(each.at)}  {each.key}, told by {each.told_by}{self._after(each, happenings)}"
            return
        first, last, times = told[0], told[-1], [each.at for each in told]
        yield f"{self._stamp(first.at)}  {first.key} was the first to be told, by {first.told_by}"
        yield f"{self._stamp(median(times))}  half of the {len(told)} knew"
        yield f"{self._stamp(last.at)}  {last.key} was the last, told by {last.told_by}{self._after(last, happenings)}"
        tellers = Counter(each.told_by for each in told)
        most = ", ".join(f"{key} told {count}" for key, count in tellers.most_common(MAX_TELLERS))
        yield _more(most + (f", {len(tellers) - MAX_TELLERS} others the rest" if len(tellers) > MAX_TELLERS else ""))

    def _after(self, each: Happening, happenings: Sequence[Happening]) -> str:
        return f", {each.at - happenings[0].at:.3f} s after the first" if each is not happenings[0] else ""

    def _hearsay(self) -> Iterator[str]:
        """A conviction that comes as a surprise counts as an accusation, until the member had time to refute it."""
        hearsay = self.doubt.hearsay
        for each in hearsay[:MAX_LISTED]:
            yield f"{self._stamp(each.at)}  {each.key}, told by {each.told_by}; {self._end_of_wait(each)}"
        if len(hearsay) > MAX_LISTED:
            yield _more(f"and {len(hearsay) - MAX_LISTED} more")

    def _end_of_wait(self, hearsay: Hearsay) -> str:
        end = hearsay.end
        if end is None:
            return "neither refuted nor believed before the end of the run"
        waited = f"{end.at - hearsay.at:.3f} s"
        if end.status is Status.DEAD:
            return f"not refuted for {waited}, and so believed"
        return f"{'refuted' if end.kind is EventKind.RESTORED else 'moot'} after {waited}"

    # --- how long it was held dead

    def _held(self) -> Iterator[str]:
        held = self.doubt.held
        if len(held) <= MAX_LISTED:
            for each in held:
                yield f"{self._stamp(each.since)}  {each.key}, {self._until(each)}"
            return
        yield f"{self._stamp(held[0].since)}  {held[0].key} was the first"
        yield f"{self._stamp(held[-1].since)}  {held[-1].key} was the last of {len({each.key for each in held})}"
        over = sorted(each.until for each in held if each.until is not None)
        for_ever = len(held) - len(over)
        if for_ever:
            yield _more(f"{for_ever} until the end of the run")
        if over:
            yield _more(f"{len(over)} until some time from {self._both(over[0])} to {self._both(over[-1])}")

    def _until(self, held: Held) -> str:
        if held.until is None:
            return "until the end of the run"
        return f"until {self._both(held.until)}, for {held.until - held.since:.3f} s"

    # --- what would have cleared it

    def _clearing(self, decided: float) -> Iterator[str]:
        doubt = self.doubt
        yield from self._warnings(decided)
        own = [each.sending for each in doubt.shown if each.by_itself and each.sending.at <= decided]
        others = [each.sending for each in doubt.shown if not each.by_itself and each.sending.at <= decided]
        if not own and not others:
            yield "no message showed such a counter in time"
        if own:
            yield from self._sent("the member sent", own, decided)
        if others:
            yield from self._sent("others passed it on in", others, decided)
        late = min(
            (each.sending.at for each in doubt.shown if each.by_itself and each.sending.at > decided), default=None
        )
        if late is not None:
            yield f"the member first showed one after its conviction at {self._both(late)}"

    def _warnings(self, decided: float) -> Iterator[str]:
        warned = [each.sending for each in self.doubt.warned if each.sending.at <= decided]
        heard = min((each.handled or 0.0 for each in warned if each.was_heard(decided)), default=None)
        if not warned:
            yield "nobody told the member of the floor in time"
        elif heard is None:
            yield f"{_some(len(warned), 'message')} told the member of the floor: {self._fates(warned, decided)}"
        else:
            yield f"the member heard of the floor at {self._both(heard)}"

    def _sent(self, who: str, sendings: list[Sending], decided: float) -> Iterator[str]:
        yield f"{who} {_some(len(sendings), 'message')} that showed it: {self._fates(sendings, decided)}"
        first = sendings[0]
        yield _more(f"the first at {self._both(first.at)}, {first.source} to {first.destination}: {self._fate(first)}")
        convicting = {each.key for each in self.doubt.died if each.told_by is None}
        to_them = [each for each in sendings if each.destination in convicting]
        names = _names(sorted(convicting))
        if convicting and to_them:
            yield _more(f"to {names}, who convicted it: {self._fates(to_them, decided)}")
        elif convicting:
            yield _more(f"none to {names}, who convicted it")

    def _fates(self, sendings: Iterable[Sending], decided: float) -> str:
        fates = Counter(
            "heard in time" if each.was_heard(decided)
            else "heard too late" if not each.lost_to and each.handled is not None and not each.damaged
            else self._fate(each)
            for each in sendings
        )  # fmt: skip
        return _counted(fates)

    # --- how it ended

    def _end(self) -> Iterator[str]:
        restored = self.doubt.restored
        if self.doubt.ended is None:
            yield "it did not, before the end of the run"
        for each in restored[: 1 if len(restored) > MAX_LISTED else MAX_LISTED]:
            kind = "" if each.kind is None else each.kind.value
            yield f"{self._stamp(each.at)}  {each.key}: {kind}{f', told by {each.told_by}' if each.told_by else ''}"
        if len(restored) > MAX_LISTED:
            yield f"{self._stamp(restored[-1].at)}  {restored[-1].key} was the last of {len(restored)}"

    # --- times

    def _relative(self, at: float) -> str:
        return f"{at - self.doubt.zero:+9.3f}"

    def _stamp(self, at: float) -> str:
        return f"{self._relative(at)}  {at:9.3f}"

    def _both(self, at: float) -> str:
        return f"{self._relative(at).strip()} ({at:.3f} s)"


def doubt_lines(doubt: Doubt) -> list[str]:
    """The lines that tell one doubt."""
    return list(_Teller(doubt).lines())


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield f"{title}:"
        yield from (f"  {line}" for line in body)


def _more(text: str) -> str:
    """A line that goes on about the moment of the last one."""
    return f"{'':20}  {text}"


def _reason(each: Happening) -> str:
    accusers = f", accused by {_names(each.accusers)}" if each.accusers else ""
    counters = each.counters
    seen = f", having seen {counters.seen}" if counters is not None else ""
    return f"at floor {each.floor}{seen}{accusers}"


def _names(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:MAX_LISTED])
    return shown + (f" and {len(keys) - MAX_LISTED} more" if len(keys) > MAX_LISTED else "")


def _counted(what: Counter[str]) -> str:
    """Each with its number; if there is one kind only, without."""
    if len(what) == 1:
        return next(iter(what))
    return ", ".join(f"{count} {each}" for each, count in what.most_common())


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
