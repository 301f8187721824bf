"""The benchmarks: what they make of results. What they measure, they measure themselves."""
