"""Dissemination: what this node sends, to whom, and how two views become equal.

- ``facts``, ``rumours``: what this node says about a member, and which part of it is news.
- ``outbox``, ``streams``, ``address_validation``: composes messages for datagrams and streams, and limits their size
  for addresses that are not validated.
- ``questions``: what this node has asked, and which answers may still come.
- ``push``: pushes news at once, along a graph on the ring. ``reconciliation``: finds and removes differences of views.

This room believes nothing and judges nobody. Detection, presence and the front of the core import it.
"""
