"""At which address others reach a node."""

from __future__ import annotations

from gossip.core.errors import ConfigurationError
from gossip.core.support.address import Address
from gossip.errors import BindError
from gossip.net.addresses import LINK_LOCAL, reason
from gossip.net.transport import Network, Transport


async def advertised_address(advertise: Address | None, transport: Transport, network: Network) -> Address | None:
    """The IP address that others should use, or None if only they can tell.

    A port of 0 in ``advertise`` stands for the bound port.

    :raises ConfigurationError: if nobody can send to ``advertise``.
    :raises BindError: if its name cannot be resolved to an address of the bound family.
    """
    if advertise is None:
        return None if transport.address.is_unspecified else transport.address
    wanted = Address(advertise.host, advertise.port or transport.address.port)
    if wanted.is_unspecified:
        raise ConfigurationError(f"advertise: nobody can send to {advertise}; give an address that others can reach")
    try:
        found = await network.resolve(wanted)
    except OSError as error:
        raise BindError(f"cannot advertise {wanted}: the host name cannot be resolved ({reason(error)})") from None
    usable = [address for address in found if transport.can_reach(address) and not address.is_link_local]
    if not usable and any(address.is_link_local for address in found):
        raise ConfigurationError(LINK_LOCAL.format("advertise", wanted))
    if not usable:
        raise BindError(f"cannot advertise {wanted}: the node is bound to another IP version ({transport.address})")
    return usable[0]
