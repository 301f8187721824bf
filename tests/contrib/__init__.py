"""Tests of gossip.contrib: real servers, asked over real HTTP."""
