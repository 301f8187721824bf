"""Results for people: tables on a terminal, pages with the same tables, and plots. Measures nothing.

``table``, ``text``, ``rst``
    A table; printed on a terminal; written into a page, with whatever else a page consists of.
``numbers``, ``wording``
    A number and an experiment in words.
``layout``, ``simulated``
    The tables of real and of simulated clusters.
``targets``
    What the figures are held to.
``findings``, ``style``, ``plots``
    What a plot says, what it looks like, and the plots (extra ``bench``).
``pages``
    The generated pages.
"""
