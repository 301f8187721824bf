"""Tests of what a program that embeds the library meets: types, logging, texts for people, other systems."""
