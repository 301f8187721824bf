"""The log of one node: every line begins with the name of the node, as a Python literal.

One process may run many nodes, and a name may come from a configuration file. No other code of the library writes
this prefix.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    _LoggerAdapter = logging.LoggerAdapter[logging.Logger]
else:
    _LoggerAdapter = logging.LoggerAdapter  # Python 3.10 cannot subscript it


class NodeLog(_LoggerAdapter):
    """A logger whose lines begin with the name of a node."""

    def __init__(self, logger_name: str, node_name: str) -> None:
        """:param logger_name: name of the standard logger to write to: that of the module."""
        super().__init__(logging.getLogger(logger_name), {})
        self._node_name = node_name

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write one line; ``msg`` takes ``args`` as in :meth:`logging.Logger.log`."""
        if self.logger.isEnabledFor(level):
            self.logger.log(level, f"%r: {msg}", self._node_name, *args, **kwargs)
