"""Measurements: of real clusters beside other systems, and of simulated ones.

``python -m benchmarks``: ``run`` measures systems side by side over real sockets, ``report`` renders what was
measured, ``compare`` tells two measurements apart.

- ``systems``: which systems there are; ``peers``: the processes that run their nodes
- ``namespace``, ``hosts``, ``cluster``: a private network, processes in it, and the nodes in those
- ``experiments``: what is done to clusters; ``running``: all of it, one after the other
- ``limits``, ``theory``, ``micro``: how far from what theory allows; single operations of the core
- ``samples``, ``sources``, ``summary``: what is kept of each repetition, which of several files counts, and medians
- ``targets``, ``comparison``: what the figures are held to; what moved by more than its spread
- ``cli_report``, ``render``: tables, ``docs/benchmarks.rst`` and its plots (extra ``bench``)

``python -m benchmarks.simulated`` and ``python -m benchmarks.evaluation`` measure simulated clusters: what the
protocol is held to, and what each choice in it is worth. ``figures`` and ``tables`` are theirs.
"""
