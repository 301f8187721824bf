"""Measurements: of real clusters beside other systems, of simulated ones, and of real agents in trouble.

``python -m benchmarks``
    ``run`` measures systems side by side over real sockets, ``report`` generates the documentation from kept results,
    ``compare`` tells two results apart.
``python -m benchmarks.simulation``
    Simulated clusters: what the protocol is held to, and what each choice in it is worth.
``python -m benchmarks.embedding``
    What a program pays that embeds a node.
``python -m benchmarks.endurance``
    Real agents and nodes in trouble for minutes or hours, and under attack.

Rooms, of which each imports only from those below it:

- ``commands``, ``documents``: the commands ``report`` and ``compare``; which documents are generated from what
- ``sockets``, ``simulation``, ``embedding``, ``endurance``: the measurements
- ``agents``: the harness for real agents
- ``report``: tables, pages and plots
- ``core``: the core by itself: single operations, and limits of theory
- ``analysis``: what is kept of a measurement, and what it comes to
- ``environment``: what measurements need from the machine

``peers/`` has the programs that run nodes of the compared systems, and ``results/`` the kept results.
"""
