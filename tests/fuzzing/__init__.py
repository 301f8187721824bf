"""Hostile input: fuzzing guided by coverage, the inputs it has found, and bombs made by hand.

``python -m tests.fuzzing TARGET`` fuzzes (extra ``fuzz``); ``python -m tests.fuzzing.measure`` measures the bombs.
The tests beside these replay every input and every bomb on any Python.
"""
