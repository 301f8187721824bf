"""The harness for real agents, each a process of its own: it starts them, and judges what they tell against the truth.

``trial``, ``command``
    One cluster of agents that is put through something, and the command that runs it, reports, and survives Ctrl-C.
``processes``, ``keys``, ``views``, ``versions``
    What is done to agents: start, signal, end, new keys; asking them for their views; agents of other versions.
``truth``, ``judge``
    What was really done and what the agents told; whether that was right. The judge is pure.
``resources``, ``counted``
    Whether agents hold more and more.
"""
