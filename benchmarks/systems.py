import sys
from collections.abc import Callable, Mapping

import attrs


class Unavailable(Exception):
    """A system that cannot be run here."""


@attrs.frozen(kw_only=True)
class System:
    name: str
    about: str
    command: tuple[str, ...]
    nodes_per_host: int | None = None


SYSTEMS: Mapping[str, Callable[[], System]] = {
    "ours": lambda: System(name="ours", about="this library", command=(sys.executable, "-m", "benchmarks.peers.ours")),
    "ours-processes": lambda: System(
        name="ours-processes",
        about="this library",
        command=(sys.executable, "-m", "benchmarks.peers.ours"),
        nodes_per_host=1,
    ),
}
