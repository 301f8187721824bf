"""Lines of the log on their way from the process of a node to the loggers of the program.

The process writes none of them anywhere else. Each reaches the program's logger of the same name, with its time, its
place in the code and the id of the process, as if it had been written there.
"""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Iterable, Mapping
from queue import SimpleQueue
from typing import Any

Line = Mapping[str, Any]
"""The attributes of a :class:`logging.LogRecord`."""

MAX_LINES = 1000
"""Lines kept while the program does not read."""

PACKAGE = "gossip"

_LOST = "%d lines of the log of node %r are lost, because the program did not read them in time"


class LineKeeper(logging.handlers.QueueHandler):
    """Keeps the lines of the process, until they are taken."""

    def __init__(self, node_name: str) -> None:
        self._lines: SimpleQueue[logging.LogRecord] = SimpleQueue()
        self._node_name = node_name
        self._lost = 0
        super().__init__(self._lines)

    def enqueue(self, record: logging.LogRecord) -> None:
        """Keep a line; called by :meth:`logging.handlers.QueueHandler.emit`."""
        if self._lines.qsize() < MAX_LINES:
            self._lines.put(record)
        else:
            self._lost += 1

    def take(self) -> tuple[Line, ...]:
        """All lines since the last call."""
        lines = [self._lines.get_nowait().__dict__ for _ in range(self._lines.qsize())]
        if self._lost:
            lost, self._lost = self._lost, 0
            about = logging.getLogger(__name__), logging.WARNING, _LOST, (lost, self._node_name)
            lines.append(_record(*about).__dict__)
        return tuple(lines)


def _record(logger: logging.Logger, level: int, text: str, arguments: tuple[object, ...]) -> logging.LogRecord:
    return logger.makeRecord(logger.name, level, __file__, 0, text, arguments, None)


def keep_lines(node_name: str, level: int) -> LineKeeper:
    """Keep the lines of this process, and write them nowhere else.

    :param level: the lowest level that is kept.
    """
    keeper = LineKeeper(node_name)
    logger = logging.getLogger(PACKAGE)
    logger.handlers = [keeper]
    logger.propagate = False
    logger.setLevel(level)
    return keeper


def wanted_level() -> int:
    """The lowest level of lines of this package that the program writes anywhere."""
    known = [each for name, each in list(logging.root.manager.loggerDict.items()) if name.startswith(f"{PACKAGE}.")]
    loggers = [logging.getLogger(PACKAGE), *(each for each in known if isinstance(each, logging.Logger))]
    return max(min(each.getEffectiveLevel() for each in loggers), logging.root.manager.disable + 1)


def write(lines: Iterable[Line]) -> None:
    """Hand the lines to the loggers of this process."""
    for line in lines:
        record = logging.makeLogRecord(dict(line))
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)
