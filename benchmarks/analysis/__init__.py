"""What is kept of a measurement, and what it comes to. Decides nothing about how it is shown.

``samples``, ``figures``
    A file of results with all samples; single figures beside their targets.
``sources``
    Several files of results together, and which of them counts.
``summary``
    Medians and ranges over the repetitions, and how much more one system needs than another.
``comparison``
    What moved between two files by more than its spread.
"""
