"""Support: what the other rooms of the core are written with, and what knows nothing of members.

- ``address``, ``text``, ``arguments``: addresses, and checks of what people and peers write.
- ``timers``, ``budget``, ``random_source``: time, rates and chance.
- ``drop_reasons``, ``drops``, ``notices``: what is refused, by reason, and sentences for people.

It imports no other room. All rooms may import all of it.
"""
