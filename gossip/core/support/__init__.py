"""Support: tools that all other rooms of the core use. None of them knows anything about members.

- ``address``, ``text``, ``arguments``: addresses, and checks of the text and values that people and peers supply.
- ``timers``, ``budget``, ``random_source``: time, rates and chance.
- ``drop_reasons``, ``drops``, ``notices``: the reasons for refusals, their counts, and sentences for people.

This room imports no other room. Every room may import all of it.
"""
