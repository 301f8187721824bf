"""Detection: whom to ask each round, and how an unanswered question becomes a suspicion and then a death.

- ``stages``: the whole course of a member under scrutiny, as one table: stage and happening, next stage and actions.
- ``casebook``: the members under scrutiny, one object each, and the evidence about them and about the last deaths.
- ``evidence``: that evidence as frozen values, with a text form.
- ``detector``: what happens, and what the actions do.
- ``probing``: one probe: a member is asked directly, through helpers and over a stream.
- ``helping``: probes on behalf of others. ``health``: how far this node trusts its own impatience.
"""
