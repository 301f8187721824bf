"""Results for people: tables on the terminal, a page with the same tables, and plots.

``numbers``
    A number in words: its name, its unit, its digits.
``wording``
    The experiments in words.
``layout``
    What stands in which cell of which table, whoever prints it.
``text``, ``rst``
    Those tables on a terminal, and in a page.
``findings``, ``style``, ``plots``
    What a plot says, what it looks like, and the plots.
"""
