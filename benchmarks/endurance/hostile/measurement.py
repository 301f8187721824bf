"""The figures of a run as they come, and its progress."""

from __future__ import annotations

from pathlib import Path

from rich.progress import Progress

from benchmarks.analysis.figures import Figure


class Measurement:
    """The figures of a run as they come, and its progress."""

    def __init__(self, progress: Progress, keyring: Path, share: float) -> None:
        self.progress = progress
        self.keyring = keyring
        self.share = share
        self.figures: list[Figure] = []

    def note(self, name: str, value: float, unit: str = "", target: float | None = None) -> None:
        """Keep a figure."""
        self.figures.append(Figure(name=name, value=value, unit=unit, target=target))

    def flood_s(self) -> float:
        """How long each flood lasts: long enough for two rounds and a suspicion."""
        return max(2.0, 10.0 * self.share)
