"""The page ``docs/reference/drops.rst``: every reason for which something is dropped, as the code lists it."""

from __future__ import annotations

import logging
import textwrap

from gossip.core.support.drop_reasons import Drop

WIDTH = 110

HEAD = """\
.. This page is generated. Change gossip/core/support/drop_reasons.py, then run: python -m docs.generate

.. _drops:

Drops
=====

Nothing that a peer sends raises an error. The node counts each drop by its reason in
``stats.protocol.dropped``, and tells the logger ``gossip.telemetry.drops``: the reason, how often since the
last line, and the address from which it came the last time. The first drop for a reason gives a line at once,
the next lines come after 1, 2, 4 s and so on, up to an hour, and at once again where nothing came for an
hour. For messages of another cluster there is one line for each host. A line holds no word of a peer's.

A line is a warning, unless the table says *information*: healthy clusters know such drops, too, where members
restart, join or die in great numbers.

.. list-table:: Reasons of drops
   :header-rows: 1
   :widths: 28 54 18

   * - Reason
     - What was dropped
     - Level
"""


def page() -> str:
    """The page as reStructuredText."""
    return HEAD + "".join(_row(drop) for drop in Drop)


def _row(drop: Drop) -> str:
    level = "information" if drop.level == logging.INFO else "warning"
    what = textwrap.wrap(drop.meaning, WIDTH - 7, break_long_words=False, break_on_hyphens=False)
    lines = [f"   * - {drop}", f"     - {what[0]}", *(f"       {line}" for line in what[1:]), f"     - {level}"]
    return "\n".join(lines) + "\n"
