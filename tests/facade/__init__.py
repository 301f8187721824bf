"""Tests of the facades: nodes for programs that trio does not run."""
