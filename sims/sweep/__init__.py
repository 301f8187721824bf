"""Sweeps: the same request with many seeds, on the cores of this machine or on a Dask cluster.

This room decides what a request is (``request``), which runs of a sweep are missing (``sweep``), where they run
(``workers``, ``worker``, ``dask_engine``), where their outcomes are kept (``results``) and what they amount to
(``summary``). It does not decide what one run does: :mod:`sims.running` does.
"""

from __future__ import annotations

from .answers import Ended, EngineLost, Failure
from .dask_engine import DaskEngine
from .request import Request
from .results import ResultsFile
from .summary import Distribution, Summary, summarise
from .sweep import Engine, Sweep
from .workers import LocalEngine, available_cores

__all__ = [
    "DaskEngine",
    "Distribution",
    "Ended",
    "Engine",
    "EngineLost",
    "Failure",
    "LocalEngine",
    "Request",
    "ResultsFile",
    "Summary",
    "Sweep",
    "available_cores",
    "summarise",
]
