from __future__ import annotations

from gossip.testing.cluster import Cluster, cluster

__all__ = ["Cluster", "cluster"]
