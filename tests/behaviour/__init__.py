"""Whether two commits behave alike: every scenario of the simulator, seed by seed, by its trace hash.

A trace hash takes in every byte that was sent and everything that happened. A change that only moves or renames code
leaves all of them as they are. Run it as ``python -m tests.behaviour BASE``.
"""
