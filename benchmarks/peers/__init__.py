"""Hosts of each system: see ``README.rst`` beside this file."""
