"""Real agents in the private network: their processes, what was really done to them, what they told, and whether that
was right.
"""
