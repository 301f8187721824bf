"""Detection: which member to probe in each round, and how an unanswered probe leads to a suspicion and then a
conviction.

- ``stages``: all stages of a member under scrutiny, as one table: stage and happening, next stage and actions.
- ``casebook``: the members under scrutiny, one object each, and the evidence about them and about the last deaths.
- ``evidence``: that evidence as frozen values, with a text form.
- ``detector``: reports what happens, and carries out the actions.
- ``probing``: one probe: asks a member directly, through helpers and over a stream.
- ``helping``: probes for other members. ``health``: how far this node trusts its own timeouts.
- ``shared_address``: two members at one address.
"""
