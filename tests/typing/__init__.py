"""Programs of users, for a type checker: one for each way to embed the library, and one full of mistakes.

``tests/usage/test_typing.py`` checks them as a user's, outside the checkout and with ``--strict``. Each file here whose
name ends in ``_program`` is a program; add one for each new way to embed the library.
"""
