"""Tests of examples/: each program as processes of its own."""
