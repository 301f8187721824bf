"""Tests of README.rst and the pages of the site: what they say is true, and what they show runs."""
