"""Simulations: the unchanged protocol core in virtual time, on a network that can fail in every way."""
