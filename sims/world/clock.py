"""A node's own clock: it may run fast or slow, and change its rate."""

from __future__ import annotations

import attrs


@attrs.define
class Clock:
    """Local time as a piecewise linear function of virtual time; both in seconds."""

    rate: float = 1.0
    """Local seconds per virtual second."""
    _virtual: float = 0.0
    _local: float = 0.0

    def local(self, now: float) -> float:
        """What the clock shows at virtual time ``now``."""
        return self._local + (now - self._virtual) * self.rate

    def virtual(self, local: float) -> float:
        """When the clock will show this."""
        return self._virtual + (local - self._local) / self.rate

    def set_rate(self, rate: float, now: float) -> None:
        """Run at another rate from now on."""
        self._local, self._virtual, self.rate = self.local(now), now, rate
