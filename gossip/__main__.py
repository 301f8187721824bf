"""``python -m gossip`` is the ``gossip`` command."""

from __future__ import annotations

from gossip.cli import main

if __name__ == "__main__":
    main()
