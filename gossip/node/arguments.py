"""The arguments of a program that opens a node, checked.

This module decides which arguments do not go together, before anything is opened. What passes here consists of plain
values only, so another process can be given it (all but ``tls``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from gossip.core.config import METADATA_ROOM, MIN_MAX_DATAGRAM, Config, given_config
from gossip.core.errors import ConfigurationError
from gossip.core.state.local import check_metadata, check_name
from gossip.core.state.signing import Signing
from gossip.core.support.address import Address
from gossip.core.support.arguments import require
from gossip.net import parse_address, parse_seeds
from gossip.security import OVERHEAD_BYTES, Keyring, MutualTLS, Security, SigningKey, check_allowed


@attrs.frozen(kw_only=True)
class Arguments:
    """What :func:`gossip.open_node` was given, under the same names. Made by :meth:`checked`."""

    name: str
    bind: Address
    advertise: Address | None
    seeds: tuple[Address, ...]
    metadata: Mapping[str, str]
    config: Config
    keyring: Keyring | None
    tls: MutualTLS | None
    insecure: bool
    identity: SigningKey | None
    allowed: Mapping[str, bytes] | None

    @classmethod
    def checked(
        cls,
        name: str,
        *,
        bind: str | Address,
        advertise: str | Address | None,
        seeds: Iterable[str | Address],
        metadata: Mapping[str, str],
        config: Config | None,
        keyring: Keyring | None,
        tls: MutualTLS | None,
        insecure: bool,
        identity: SigningKey | None,
        allowed: Mapping[str, bytes] | None,
    ) -> Arguments:
        """The arguments as they were given.

        :raises ConfigurationError: if one of them is malformed or contradicts another, or a package is missing that the
            keys need.
        """
        settings = given_config(config)
        require("insecure", insecure, bool, "True or False")
        _check_identity(identity, allowed)
        Security(keyring, settings.cluster, tls)
        asked = cls(
            name=name,
            bind=parse_address(bind, "bind"),
            advertise=None if advertise is None else parse_address(advertise, "advertise"),
            seeds=parse_seeds(seeds),
            metadata=metadata,
            config=settings,
            keyring=keyring,
            tls=tls,
            insecure=insecure,
            identity=identity,
            allowed=None if allowed is None else {_plain(each): key for each, key in allowed.items()},
        )
        check_name(name)
        return attrs.evolve(
            asked, name=_plain(name), metadata=plain_metadata(check_metadata(metadata, asked.core_config))
        )

    @property
    def core_config(self) -> Config:
        """The settings for the core. If its datagrams are sealed, no sealed one is larger than ``max_datagram``.

        :raises ConfigurationError: if ``max_datagram`` is too small for that.
        """
        if self.keyring is None:
            return self.config
        room = self.config.max_datagram - OVERHEAD_BYTES
        if room < max(MIN_MAX_DATAGRAM, self.config.max_metadata + METADATA_ROOM):
            raise ConfigurationError(
                f"max_datagram must be {OVERHEAD_BYTES} bytes larger, because the seal adds as much to each datagram"
            )
        return attrs.evolve(self.config, max_datagram=room)

    @property
    def signing(self) -> Signing | None:
        """What the core needs to sign and to check signatures; None if members do not sign."""
        return None if self.identity is None else Signing(self.identity, self.allowed)


def plain_metadata(checked: Mapping[str, str]) -> dict[str, str]:
    """The same metadata without any type of the program's own, which another process would not know."""
    return {_plain(key): _plain(value) for key, value in checked.items()}


def _plain(text: str) -> str:
    return str.__str__(text)


def _check_identity(identity: SigningKey | None, allowed: Mapping[str, bytes] | None) -> None:
    """
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
