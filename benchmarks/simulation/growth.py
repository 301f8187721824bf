"""How time and memory of a simulation grow with its nodes: each size in a process of its own, then a fit.

``python -m benchmarks.simulation.growth bootstrap 5000 0`` measures one size alone, of a scenario, with a seed.
"""

from __future__ import annotations

import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.analysis.figures import Figure
from sims.running import Run
from sims.scenarios import find

SIMULATED_S = 10.0
"""Virtual seconds: the joins, if there are any, and some rounds of rest."""

MEMORY_TARGET_GIB = 16.0
GIB = 2**30
KIB = 2**10

Row = dict[str, Any]


def growth_of(sizes: Sequence[int], largest: int, seed: int) -> list[Figure]:
    """Figures of time and memory, and how they grow.

    :param sizes: of the clusters to which the exponents are fitted.
    :param largest: size of one more cluster, whose memory has a target; 5,000 nodes take over half an hour.
    """
    rows = [_measured("bootstrap", nodes, seed) for nodes in sizes]
    figures = [figure for row in rows for figure in _figures(row)]
    for what in ("cpu_s", "bytes"):
        exponent = _exponent([(row["nodes"], row[what]) for row in rows])
        name = f"bootstrap: {what.removesuffix('_s')} grows as nodes to the power of"
        figures.append(Figure(name=name, value=round(exponent, 2)))
    return figures + _figures(_measured("bootstrap", largest, seed), MEMORY_TARGET_GIB)


def _figures(row: Row, memory_target: float | None = None) -> list[Figure]:
    title = f"{row['nodes']:g} nodes, {row['scenario']}, {SIMULATED_S:g} s"
    figures = [
        Figure(name=f"{title}: CPU time", value=row["cpu_s"], unit="s"),
        Figure(name=f"{title}: memory, GiB", value=round(row["bytes"] / GIB, 2), target=memory_target),
        Figure(name=f"{title}: bytes for each member known to each", value=row["bytes"] / row["nodes"] ** 2, unit="B"),
    ]
    if row["all_see_all_s"] is not None:
        figures.append(Figure(name=f"{title}: all saw all after", value=row["all_see_all_s"], unit="s"))
    return figures


def _exponent(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the least-squares line through the logarithms."""
    xs, ys = ([math.log(number) for number in each] for each in zip(*points, strict=True))
    return statistics.linear_regression(xs, ys).slope


def _measured(scenario: str, nodes: int, seed: int) -> Row:
    command = [sys.executable, "-m", __name__, scenario, str(nodes), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: Row = json.loads(done.stdout)
    return found


def main(scenario: str, nodes: int, seed: int) -> None:
    """Run one cluster in this process and print what it took."""
    began = time.process_time()
    outcome = Run(find(scenario).plan(nodes=nodes, seed=seed, duration_s=SIMULATED_S), checks=False).run()
    print(
        json.dumps(
            {
                "scenario": scenario,
                "nodes": nodes,
                "cpu_s": time.process_time() - began,
                "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB,
                "all_see_all_s": None if outcome.joins is None else outcome.joins.all_see_all_s,
                "datagrams": outcome.datagrams,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
