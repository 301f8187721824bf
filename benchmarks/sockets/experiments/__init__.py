"""The experiments: what is done to clusters, the same for every system."""

from __future__ import annotations

from benchmarks.sockets.experiments import clusters, news
from benchmarks.sockets.experiments.bench import Bench, Experiment

EXPERIMENTS = {each.name: each for each in (*news.EXPERIMENTS, *clusters.EXPERIMENTS)}
"""By name, in the order in which they are run and told of."""

__all__ = ["EXPERIMENTS", "Bench", "Experiment"]
