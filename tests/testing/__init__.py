"""Tests of what this library gives to the tests of its users."""
