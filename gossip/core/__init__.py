"""The protocol itself, free of sockets, clocks and global randomness.

Read it in this order:

- ``address``, ``errors``, ``config``, ``source``: the words the rest is written in.
- ``heartbeat``: the counter, and where another's ought to be by now.
- ``member``: who a member is, and the registers from which its status follows.
- ``view``: every member a node knows of; the ring and the fingerprint.
- ``wire``: messages and their bytes. ``facts``: what a node says about a member.
- ``local``: this node's own member. ``belief``: what to believe of what others say.
- ``dissemination``: how news spreads. ``outbox``: how messages are composed. ``streams``: TCP.
- ``timers``, ``rtt``, ``health``: time, and how far to trust one's own.
- ``probing``, ``detector``, ``suspicion``: from an unanswered question to a conviction.
- ``reconciliation``: how two views are made equal. ``joining``, ``farewell``: coming and going.
- ``events``, ``journal``, ``stats``: what the embedding program is told.
- ``protocol``: all of it as a few calls. ``query``: asking a node for its view from outside.
"""
