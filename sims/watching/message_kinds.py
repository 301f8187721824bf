"""The kinds of messages, by the names that the description of the protocol gives them."""

from __future__ import annotations

import re

from gossip.core.wire import CLUSTER_TAG_BYTES, KINDS
from gossip.core.wire.messages import Body

KIND_AT = 3 + CLUSTER_TAG_BYTES
"""Where a message has its kind: after the head of the array, the version, and the cluster with its own head. Each takes
one byte except the cluster itself. So a message need not be decoded to name its kind."""


def kind_name(body: type[Body]) -> str:
    """The name of the kind of message with this body: ``PING_REQUEST`` for ``PingRequest``."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", body.__name__).upper()


_NAMES = {kind: kind_name(body) for body, kind in KINDS.items()}


def kind_of(data: bytes) -> str:
    """The name of the kind of an encoded message."""
    return _NAMES[data[KIND_AT]]
