"""Planted faults: what the tests and the simulator's invariants prove, measured.

Each file in ``patches/`` breaks one thing in the core, the shell or the sealing. ``python -m tests.mutants``
plants them one at a time in a copy of the checkout and says which tests notice.

:mod:`tests.mutants.patch` reads them, :mod:`tests.mutants.trial` tries them, :mod:`tests.mutants.results` keeps
what came of it. :mod:`tests.mutants.worth` measures what five of them take away.
"""
