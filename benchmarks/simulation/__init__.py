"""Measurements of simulated clusters.

``python -m benchmarks.simulation COMMAND`` runs one of them. Nothing is imported from here but by the commands and
their tests.

``figures``, ``studies``, ``growth``
    What the protocol and the simulator are held to, figure by figure; the runs of which each figure is made; how time
    and memory grow with the number of nodes.
``evaluation``
    What each choice in the protocol is worth.
``deaf``
    What the others are told of a member that hears nothing, simulated or with real agents.
``jobs``
    Simulated runs on all cores.
"""
