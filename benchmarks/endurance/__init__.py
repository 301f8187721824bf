"""Endurance tests: an hour of trouble, keys replaced, versions replaced, and hostile load.

``python -m benchmarks.endurance COMMAND`` runs one of them. Each decides whether something was violated; nothing here
compares this library with others, and nothing is imported from here but by the commands and their tests.

``soak``, ``trouble``
    Many agents for an hour, of which some are always being killed, stopped, or started again: the run, and what is done
    to which agent.
``rotation``
    Keys changed over a running cluster.
``upgrade``
    Agents of two versions in one cluster, replaced one by one.
``hostile``
    Hostile packets against nodes.

The first three are trials of :mod:`benchmarks.agents`, which starts the agents and judges what they tell.
"""
