"""Whole agents as processes, with real signals, on loopback sockets."""
