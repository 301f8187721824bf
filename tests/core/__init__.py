"""The protocol core on its own: properties of its parts, and whole clusters in virtual time."""
