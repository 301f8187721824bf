"""The memory of a node: how much a process grows when it runs a cluster.

In a process of its own, because one that has run clusters before has free memory left to run another
in. ``python -m benchmarks.memory SIZE`` prints bytes per node.
"""

from __future__ import annotations

import gc
import logging
import os
import resource
import sys
from pathlib import Path

import trio

from benchmarks.cluster import Tally, open_cluster
from benchmarks.report import MeasurementFailed

CALM_S = 2.0
LIMIT_S = 180.0

_STATM = Path("/proc/self/statm")


async def memory_per_node(size: int) -> float:
    """Bytes of memory that each node of a cluster of this size takes.

    :raises MeasurementFailed: if it cannot be found out.
    """
    command = [sys.executable, "-m", "benchmarks.memory", str(size)]
    with trio.move_on_after(LIMIT_S):
        done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
        if done.returncode == 0:
            return float(done.stdout)
        complaint = (done.stderr.decode(errors="replace").strip().splitlines() or ["(it said nothing)"])[-1]
        raise MeasurementFailed(f"the process for memory failed: {complaint}")
    raise MeasurementFailed(f"the process for memory took more than {LIMIT_S:.0f} s")


async def _measure(size: int) -> float:
    gc.collect()
    before = _resident_bytes()
    async with open_cluster(Tally()) as cluster:
        await cluster.join(size)
        await cluster.calm(CALM_S)
        gc.collect()
        return (_resident_bytes() - before) / size


def _resident_bytes() -> int:
    """Memory of this process: what it has now; where the system does not tell, the most it ever had."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(trio.run(_measure, int(sys.argv[1])))
