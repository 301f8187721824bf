"""Dissemination: what goes out, to whom, and how two views become equal.

- ``facts``, ``rumours``: what this node says of a member, and what of that is news.
- ``outbox``, ``streams``, ``proof``: messages are composed for datagrams and streams, as large as an address may get.
- ``questions``: what this node has asked, and whose answer may still come.
- ``push``: news is pushed at once, along a graph on the ring. ``reconciliation``: differences are found and settled.

It believes nothing and judges nobody. Detection, presence and the front of the core import it.
"""
