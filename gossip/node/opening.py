"""Opening a node: checks the arguments of a program, and joins the parts of a node.

This module decides which arguments contradict each other, and in which order the parts open. Two others decide what the
node does then: :mod:`gossip.node.node` for the program, and :mod:`gossip.core` for the cluster.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping

import attrs
import trio

from gossip.core.config import METADATA_ROOM, MIN_MAX_DATAGRAM, Config, given_config
from gossip.core.errors import ConfigurationError
from gossip.core.protocol import Protocol
from gossip.core.state.local import NO_METADATA
from gossip.core.state.signing import Signing
from gossip.core.support.address import Address
from gossip.core.support.arguments import require
from gossip.core.wire import Records
from gossip.net import (
    advertised_address,
    parse_address,
    parse_seeds,
    require_one_machine,
)
from gossip.node.block import block_in_trio
from gossip.node.network import current_network
from gossip.node.node import Node, running
from gossip.security import OVERHEAD_BYTES, Keyring, MutualTLS, Security, SigningKey, check_allowed

DEFAULT_BIND = "0.0.0.0:7946"
"""All IPv4 addresses, and the port that memberlist made customary for gossip."""

_UNSEALED = (
    "bind: others can reach {}, and without a keyring anybody who can send a packet there can take part. Give a "
    "keyring (gossip keygen makes one; --keyring), bind to 127.0.0.1, or allow it with insecure=True (--insecure)"
)


_RECORDS = Records()
"""The records that the nodes of this process know: a test with many nodes checks and builds each record once."""


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
    """Run a member of a cluster for as long as the ``async with`` block runs.

    ::

        keyring = Keyring.load("cluster.keys")
        async with open_node("web-1", seeds=["10.0.0.1:7946"], keyring=keyring) as node:
            ...
            await node.leave()

    The block begins at once, before the node knows any other member. When the block ends, the node closes without a
    farewell, and the others find out as they would after a crash; call :meth:`Node.leave` first to leave properly. An
    exception of the block closes the node and passes out unchanged. If a task of the node fails (a bug), the block is
    cancelled, and the exception of the task passes out.

    >>> import gossip, trio
    >>> async def main():
    ...     async with gossip.open_node("ada", bind="127.0.0.1:0", metadata={"role": "db"}) as node:
    ...         print(node.local.name, node.alive, dict(node.local.metadata))
    ...         await node.leave()
    >>> trio.run(main)
    ada 1 {'role': 'db'}

    :param name: what people call this node, 1 to 128 bytes of printable text, unique in the cluster.
    :param bind: ``HOST:PORT`` for UDP and TCP alike. ``[::]`` takes IPv4 and IPv6, port 0 any free port.
    :param advertise: ``HOST:PORT`` at which others reach this node, if that differs from ``bind``
        (port 0: the bound one). If neither names an IP address, the node learns it from its peers.
    :param seeds: ``HOST:PORT`` of some members, running or not. Give every member the same ones, itself included if it
        is a seed. A node that has nobody else to look for begins a cluster of its own. A DNS name stands for all its
        addresses; the node looks it up again now and then. There may be 64 addresses.
    :param metadata: what others should know about this node, as small texts; see :meth:`Node.update`.
    :param config: the settings, by default :meth:`gossip.Config.lan`.
    :param keyring: the keys of the cluster. The key in use seals everything that the node sends; one of the keys must
        have sealed everything that it receives. None for a cluster without keys: then only this machine may be able to
        reach the node, unless ``insecure`` is set.
    :param insecure: whether a node without keys may use an address that other machines can reach. Anybody who can send
        a packet there can then take part.
    :param identity: the key with which this node signs its statements about itself. With it, the node believes about
        others only what they signed. After a restart under the same name, the node needs the same key.
    :param allowed: the public key of each name that may be a member. Without it, a name belongs to the first key seen.
    :param tls: certificates that secure the streams in place of the keyring. Datagrams still need the keyring.
    :raises ConfigurationError: if an argument is malformed; if a package is missing that the keys need; if other
        machines can reach the node and it has no keyring; or if only this machine can reach it and a seed is elsewhere.
    :raises BindError: if the sockets cannot be opened, or ``advertise`` cannot be resolved.
    :raises RuntimeError: if trio does not run the code that enters the block.
    """
    config = given_config(config)
    require("insecure", insecure, bool, "True or False")
    signing = _signing(identity, allowed)
    security = Security(keyring, config.cluster, tls)
    bind_to = parse_address(bind, "bind")
    advertise_as = None if advertise is None else parse_address(advertise, "advertise")
    seed_list = parse_seeds(seeds)
    network = current_network()
    random = network.random()
    async with network.bind(bind_to, name) as transport:
        require_one_machine(transport.address, advertise_as, seed_list)
        if not (insecure or security.is_sealed or transport.address.is_loopback):
            raise ConfigurationError(_UNSEALED.format(transport.address))
        protocol = Protocol(
            config if keyring is None else _with_room_for_envelopes(config),
            name=name,
            generation=network.wall_clock_ms(),
            random=random,
            now=trio.current_time(),
            address=await advertised_address(advertise_as, transport, network),
            metadata=metadata,
            signing=signing,
            records=_RECORDS,
        )
        async with running(protocol, network, transport, config, security, seed_list, random) as node:
            network.opened(node)
            yield node


def _signing(identity: SigningKey | None, allowed: Mapping[str, bytes] | None) -> Signing | None:
    """What the core needs to sign and to check signatures; None if members do not sign.

    :raises ConfigurationError: if one of them is of another type, or ``allowed`` is given alone.
    """
    if identity is not None:
        require("identity", identity, SigningKey, "a gossip.SigningKey, such as SigningKey.load(path)", secret=True)
    if allowed is not None:
        check_allowed(allowed)
    if identity is None and allowed is not None:
        raise ConfigurationError(
            "allowed: only a node that signs can check the signatures of others; give identity, too"
        )
    return None if identity is None else Signing(identity, allowed)


def _with_room_for_envelopes(config: Config) -> Config:
    """The settings for a core whose datagrams are sealed: no sealed datagram is larger than ``max_datagram``.

    :raises ConfigurationError: if ``max_datagram`` is too small for that.
    """
    room = config.max_datagram - OVERHEAD_BYTES
    if room < max(MIN_MAX_DATAGRAM, config.max_metadata + METADATA_ROOM):
        raise ConfigurationError(
            f"max_datagram must be {OVERHEAD_BYTES} bytes larger, because the seal adds as much to each datagram"
        )
    return attrs.evolve(config, max_datagram=room)
