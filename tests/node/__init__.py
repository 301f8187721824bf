"""Tests of the trio shell on real loopback sockets."""
