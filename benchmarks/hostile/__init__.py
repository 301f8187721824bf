"""What hostile packets cost a node, and whether they change what it believes: ``python -m benchmarks.hostile``."""
