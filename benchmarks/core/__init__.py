"""The core of this library by itself, without sockets. No other system is measured here.

``micro``
    Time and memory of single operations.
``limits``, ``world``, ``ratios``, ``theory``
    How far updates and crashes in simulated clusters are from what theory allows: the measurement, the clusters in
    which it is made, the measured figures divided by the limits, and the limits.
"""
