"""Opening a node: the sockets opened, and the parts of a node joined.

This module decides what is opened in which order, and what a node needs that others can reach. What the node does then
is decided elsewhere: :mod:`gossip.node.node` for the program, :mod:`gossip.core` for the cluster.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from random import SystemRandom

import trio

from gossip.core.config import Config
from gossip.core.errors import ConfigurationError
from gossip.core.protocol import Protocol
from gossip.core.state.local import NO_METADATA
from gossip.core.support.address import Address
from gossip.core.wire import Records
from gossip.net import (
    advertised_address,
    open_sockets,
    require_one_machine,
    wall_clock_ms,
)
from gossip.node.arguments import Arguments
from gossip.node.block import block_in_trio
from gossip.node.node import Node, running
from gossip.security import Keyring, MutualTLS, Security, SigningKey

DEFAULT_BIND = "0.0.0.0:7946"
"""All IPv4 addresses, and the port that memberlist made customary for gossip."""

_UNSEALED = (
    "bind: others can reach {}, and without a keyring anybody who can send a packet there can take part. Give a "
    "keyring (gossip keygen makes one; --keyring), bind to 127.0.0.1, or say insecure=True (--insecure)"
)


_RECORDS = Records()
"""The records that the nodes of this process have met: a test with many nodes checks and builds each record once."""


@block_in_trio
async def open_node(
    name: str,
    *,
    bind: str | Address = DEFAULT_BIND,
    advertise: str | Address | None = None,
    seeds: Iterable[str | Address] = (),
    metadata: Mapping[str, str] = NO_METADATA,
    config: Config | None = None,
    keyring: Keyring | None = None,
    tls: MutualTLS | None = None,
    insecure: bool = False,
    identity: SigningKey | None = None,
    allowed: Mapping[str, bytes] | None = None,
) -> AsyncIterator[Node]:
    """Be a member of a cluster for as long as the ``async with`` block runs.

    ::

        keyring = Keyring.load("cluster.keys")
        async with open_node("web-1", seeds=["gossip.example.org:7946"], keyring=keyring) as node:
            ...
            await node.leave()

    The block begins at once, before any other member is known. When it ends, the node just closes, and the others
    find out as they would after a crash; call :meth:`Node.leave` first to part properly. An exception of the block
    closes the node and passes out as itself. Should a task of the node fail (a bug), the block is cancelled and that
    exception passes out.

    :param name: what people call this node, 1 to 128 bytes of printable text, unique in the cluster.
    :param bind: ``HOST:PORT`` for UDP and TCP alike. ``[::]`` takes IPv4 and IPv6, port 0 any free port.
    :param advertise: ``HOST:PORT`` at which others reach this node, where that differs from ``bind``
        (port 0: the bound one). If neither names an IP address, it is learned from what peers see.
    :param seeds: ``HOST:PORT`` of some members, whether they run or not, the same for every member; the node itself may
        be among them. A node that has nobody else to look for begins a cluster of its own. A DNS name stands for all
        its addresses, and is looked up again now and then. There may be 64 addresses.
    :param metadata: what others are to know of this node, small texts; see :meth:`Node.update`.
    :param config: the settings, by default :meth:`gossip.Config.lan`.
    :param keyring: the keys of the cluster. The one in use seals everything that is sent; everything received must be
        sealed with one of them. None for a cluster that is not sealed, which only this machine can reach, unless:
    :param insecure: whether anybody who can send a packet may take part, from anywhere.
    :param identity: the key with which this node signs what it says of itself. The node then believes of others only
        what they have signed. A node that restarts under its name needs the same key.
    :param allowed: the public key of each name that may be a member; without it, a name belongs to the first key seen.
    :param tls: certificates that secure the streams in place of the keyring; datagrams need that all the same.
    :raises ConfigurationError: if an argument is malformed, a package is missing that the keys need, others could
        reach the node and it has no keyring, or only this machine could reach it and a seed is on another one.
    :raises BindError: if the sockets cannot be opened, or ``advertise`` cannot be resolved.
    :raises RuntimeError: if trio does not run the code that enters the block.
    """
    asked = Arguments.checked(
        name,
        bind=bind,
        advertise=advertise,
        seeds=seeds,
        metadata=metadata,
        config=config,
        keyring=keyring,
        tls=tls,
        insecure=insecure,
        identity=identity,
        allowed=allowed,
    )
    security = Security(asked.keyring, asked.config.cluster, asked.tls)
    random = SystemRandom()  # tokens prove that somebody hears us: what was drawn must not tell what comes next
    with await open_sockets(asked.bind) as sockets:
        require_one_machine(sockets.address, asked.advertise, asked.seeds)
        if not (asked.insecure or security.is_sealed or sockets.address.is_loopback):
            raise ConfigurationError(_UNSEALED.format(sockets.address))
        protocol = Protocol(
            asked.core_config,
            name=asked.name,
            generation=wall_clock_ms(),
            random=random,
            now=trio.current_time(),
            address=await advertised_address(asked.advertise, sockets),
            metadata=asked.metadata,
            signing=asked.signing,
            records=_RECORDS,
        )
        async with running(protocol, sockets, asked.config, security, asked.seeds, random) as node:
            yield node
