"""The simulator: its parts, its command line, and what runs and sweeps of it come to."""
