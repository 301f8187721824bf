"""What a program pays that embeds a node.

``imports``
    The time that ``import gossip`` takes, beside the packages that it needs.
"""
