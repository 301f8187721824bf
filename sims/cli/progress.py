"""Progress, on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import attrs
from rich import progress as bars
from rich.text import Text

from .terminal import PlainConsole

LINE_EVERY_S = 30.0
"""Seconds between two lines: often enough to see in a log that something goes on."""

REDRAW_EVERY_S = 0.1
"""Seconds between two drawings of the bar. A small cluster needs less than a millisecond per virtual second, a drawing
much longer."""

SPEED_OVER_S = 600.0
"""Seconds over which the speed is averaged to estimate the remaining time."""


@attrs.define(eq=False)
class Progress:
    """Shows how much of something is done. Enter it as a context."""

    what: str
    total: float
    unit: str
    done: float = 0.0
    """The amount that was done before this began."""
    note: str = ""
    _bar: bars.Progress | None = attrs.field(init=False)
    _began: float = attrs.field(init=False)
    _done_before: float = attrs.field(init=False)
    _told: float = attrs.field(init=False)
    """When the bar was last drawn, or a line written."""

    def __attrs_post_init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._done_before = self.done
        console = PlainConsole(stderr=True)
        self._bar = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._bar = bars.Progress(
                bars.TextColumn("{task.description}"),
                bars.BarColumn(),
                bars.TextColumn("{task.completed:.0f} of {task.total:.0f} {task.fields[unit]}{task.fields[note]}"),
                bars.TextColumn("left:"),
                bars.TimeRemainingColumn(),
                console=console, transient=True, redirect_stdout=False, redirect_stderr=False,
                speed_estimate_period=SPEED_OVER_S,
            )  # fmt: skip
            self._bar.add_task(self.what, total=self.total, completed=int(self.done), unit=self.unit, note="")

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: float, note: str = "") -> None:
        """Set how much is done.

        :param note: further information.
        """
        self.done, self.note = done, note
        now = time.monotonic()
        if now - self._told < (LINE_EVERY_S if self._bar is None else REDRAW_EVERY_S):
            return
        self._told = now
        if self._bar is None:
            print(self.line(now), file=sys.stderr, flush=True)
        else:
            self._bar.update(bars.TaskID(0), completed=done, note=note and f", {note}")

    def say(self, text: str) -> None:
        """Write a line that stays on the screen."""
        if self._bar is None:
            print(text, file=sys.stderr, flush=True)
        else:
            self._bar.console.print(Text(text))

    def line(self, now: float) -> str:
        """The progress as a line.

        :param now: a monotonic time.
        """
        new = self.done - self._done_before
        left = (now - self._began) * (self.total - self.done) / new if new > 0 else None
        parts = [f"{self.done:.0f} of {self.total:.0f} {self.unit}", self.note]
        parts.append("" if left is None else f"about {left:.0f} s left")
        return f"{self.what}: {', '.join(part for part in parts if part)}"
