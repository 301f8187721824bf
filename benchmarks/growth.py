"""How time and memory of a simulation grow with its nodes: each size in a process of its own, then a fit."""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.report import Figure
from sims.run import Run
from sims.scenarios import find

AFTER_JOINING_S = 10.0
"""Virtual seconds simulated: the joins, and some rounds of rest."""

MEMORY_TARGET_GIB = 16.0
GIB = 2**30
KIB = 2**10


def growth_of(sizes: Sequence[int], seed: int) -> list[Figure]:
    """Figures of time and memory for each size, and the exponents with which they grow."""
    figures, rows = [], []
    for nodes in sizes:
        row = _measured(nodes, seed)
        rows.append(row)
        title = f"{nodes} nodes bootstrap and run {AFTER_JOINING_S:g} s"
        target = MEMORY_TARGET_GIB if nodes == max(sizes) else None
        figures += [
            Figure(name=f"{title}: CPU time", value=row["cpu_s"], unit="s"),
            Figure(name=f"{title}: all saw all after", value=row["all_see_all_s"], unit="s"),
            Figure(name=f"{title}: memory, GiB", value=row["bytes"] / GIB, target=target),
            Figure(name=f"{title}: bytes for each member known to each", value=row["bytes"] / nodes**2, unit="B"),
        ]
    for what in ("cpu_s", "bytes"):
        exponent = _exponent([(row["nodes"], row[what]) for row in rows[-3:]])
        figures.append(Figure(name=f"{what.removesuffix('_s')} grows as nodes to the power of", value=exponent))
    return figures


def _exponent(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the least-squares line through the logarithms."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    above = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return above / sum((x - mean_x) ** 2 for x in xs)


def _measured(nodes: int, seed: int) -> dict[str, float]:
    command = [sys.executable, "-m", __name__, str(nodes), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(nodes: int, seed: int) -> None:
    """Bootstrap a cluster in this process and print what it took."""
    began = time.process_time()
    plan = find("bootstrap").plan(nodes=nodes, seed=seed, duration_s=AFTER_JOINING_S)
    outcome = Run(plan, checks=False).run()
    assert outcome.joins is not None
    all_see_all_s = outcome.joins.all_see_all_s
    print(
        json.dumps(
            {
                "nodes": nodes,
                "cpu_s": time.process_time() - began,
                "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB,
                "all_see_all_s": math.inf if all_see_all_s is None else all_see_all_s,
                "datagrams": outcome.datagrams,
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
