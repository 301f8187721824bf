"""``gossip keygen`` and ``gossip keys``: making and changing the file of keys.

Each command says what is true afterwards, and what the next step of a rotation is. No command shows a secret. No
command takes a secret as an argument, because other users of the machine can see arguments.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.table import Table

from gossip.cli.options import keyring_option
from gossip.cli.rendering import describe_keys, printable
from gossip.cli.terminal import OutputConsole
from gossip.core.errors import ConfigurationError
from gossip.security import (
    AES_256_GCM,
    ALGORITHMS,
    MAX_FILE_BYTES,
    PLAIN,
    PLAIN_TEXT,
    Key,
    Keyring,
    change_file,
    keys_in,
)

STANDARD_INPUT = "-"

algorithm_option = click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    default=AES_256_GCM,
    show_default=True,
    help="How to seal with the new key. The second is for processors without AES instructions.",
)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        raise click.UsageError(str(error), click.get_current_context()) from None


@click.command()
@algorithm_option
@click.option(
    "--plain-first",
    is_flag=True,
    help="For a cluster that runs without keys: seal nothing yet, but open what the new key seals.",
)
@click.argument("file", type=click.Path(path_type=Path))
def keygen(algorithm: str, plain_first: bool, file: Path) -> int:
    """Make a new file of keys for a cluster, with one key in it.

    FILE must not exist. Only its owner can read the new file (mode 600). An agent refuses a file that others can
    read, because anybody who knows a key can read everything and take part. All nodes have the same keys.

    \b
    Examples:
      gossip keygen keys
      gossip keygen --algorithm chacha20-poly1305 /etc/gossip/keys

    \b
    To seal a cluster that runs without keys, without stopping it:
      1. gossip keygen --plain-first keys; copy the file to every node
      2. restart every agent with --keyring keys, one after the other
      3. gossip keys use ID --keyring keys    on every node
      4. gossip keys drop plain --keyring keys    on every node
    """
    key = Key.generate(algorithm)
    ring = Keyring.of(PLAIN, key) if plain_first else Keyring.of(key)
    with _explained():
        ring.save_new(file)
    _tell(f"{printable(str(file))} has the new key {key.id} ({algorithm})", ring)
    print("next: copy the file to every node, readable only by the user who runs the agent (chmod 600),")
    print(f"      and start each agent with: gossip agent --keyring {_shown(file)} ...")
    if plain_first:
        print(f"      Once all of them run with it, on each: gossip keys use {key.id} --keyring {_shown(file)}")
    return 0


@click.group()
def keys() -> None:
    """Show a file of keys, and change keys while the cluster runs.

    \b
    To replace the key of a running cluster (a rotation), go through all nodes three times:
      1. gossip keys add --keyring keys                on one node; then copy the new key to all
      2. gossip keys use ID --keyring keys             once every node opens with it
      3. gossip keys drop OLD --keyring keys           once every node uses the new one

    \b
    To copy a key to another node, copy the file (its owner and mode 600 matter), or add its keys:
      gossip keys add --from other-file --keyring keys
      ssh node1 cat keys | gossip keys add --from - --keyring keys

    An agent reads a changed file within seconds, or at once on SIGHUP, and writes which key seals and which
    keys open. If you take a step before all nodes are ready, nodes are cut off from each other until they are.

    A change replaces the file: comments in it are lost.

    "list" shows each ID; "plain" stands for messages that are not sealed.
    """


@keys.command(name="list")
@keyring_option(required=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
def list_keys(keyring: Path, as_json: bool) -> int:
    """Show the keys in a file, and the use of each. It does not show secrets.

    \b
    Example:
      gossip keys list --keyring keys
    """
    with _explained():
        ring = Keyring.load(keyring)
    if as_json:
        print(json.dumps([_key_json(key, ring) for key in ring.keys], indent=2))
    else:
        _print_table(ring)
    return 0


def _key_json(key: Key, ring: Keyring) -> dict[str, Any]:
    return {"id": key.id, "algorithm": key.algorithm, "in_use": key == ring.in_use}


def _print_table(ring: Keyring) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("ID", "ALGORITHM", "USED TO"):
        table.add_column(title)
    for key in ring.keys:
        seal, unseal = ("send unsealed", "accept unsealed") if key.is_plain else ("seal", "open")
        table.add_row(
            key.id, "" if key.is_plain else key.algorithm, f"{seal} and {unseal}" if key == ring.in_use else unseal
        )
    OutputConsole().print(table)


@keys.command()
@keyring_option(required=True)
@algorithm_option
@click.option(
    "--from",
    "source",
    metavar="OTHERFILE",
    help='Add no new key, but the keys of this file that are missing here; "-" reads lines of such a file from '
    "standard input. The key in use stays the same, and plain is not added.",
)
@click.argument("plain", type=click.Choice([PLAIN_TEXT]), required=False)
def add(keyring: Path, algorithm: str, source: str | None, plain: str | None) -> int:
    """Add a key that opens messages.

    The key in use still seals messages. Without further arguments, this adds a new key; with "plain", it accepts
    messages that are not sealed.

    \b
    Examples:
      gossip keys add --keyring keys
      gossip keys add --keyring keys --from other-file
      ssh node1 cat keys | gossip keys add --keyring keys --from -
      gossip keys add --keyring keys plain
    """
    if source is not None and plain is not None:
        raise click.UsageError(f"--from and {PLAIN_TEXT} exclude each other: use one at a time")
    if source is not None or plain is not None:
        _refuse_algorithm("keys from another file have their own" if plain is None else f"{PLAIN_TEXT} has none")
    if plain is not None:
        before, ring = _change(keyring, lambda ring: ring.add(PLAIN))
    elif source is None:
        before, ring = _change(keyring, lambda ring: _with_new(ring, algorithm))
    else:
        with _explained():
            others = _keys_from(source)  # before the file is locked: this may wait until somebody types a password
        before, ring = _change(keyring, lambda ring: _with_missing(ring, others))
    new = ring.keys[len(before.keys) :]
    added = ", ".join(key.id for key in new)
    _tell(f"added {added}" if new else "there was nothing to add", ring)
    if new:
        print(f"next: copy {added} to every other node;")
        print(f"      once all have it, on each: gossip keys use {new[-1].id} --keyring {_shown(keyring)}")
    return 0


def _refuse_algorithm(reason: str) -> None:
    if click.get_current_context().get_parameter_source("algorithm") is not ParameterSource.DEFAULT:
        raise click.UsageError(f"--algorithm is for a new key, but {reason}: leave it out")


def _with_new(ring: Keyring, algorithm: str) -> Keyring:
    key = Key.generate(algorithm)
    while key.id in (other.id for other in ring.keys):  # one key in 65,536 has the number of another
        key = Key.generate(algorithm)
    return ring.add(key)


def _with_missing(ring: Keyring, others: Iterable[Key]) -> Keyring:
    for key in others:
        if key not in ring.keys and not key.is_plain:
            ring = ring.add(key)
    return ring


def _keys_from(source: str) -> tuple[Key, ...]:
    if source != STANDARD_INPUT:
        return Keyring.load(source).keys
    if sys.stdin is None:  # it was closed when this process started
        raise ConfigurationError("standard input is closed")
    try:
        return keys_in(sys.stdin.buffer.read(MAX_FILE_BYTES + 1).decode())
    except OSError as error:
        raise ConfigurationError(f"standard input: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError("standard input: this is not text from a file of keys") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"standard input: {error}") from None


@keys.command()
@keyring_option(required=True)
@click.argument("id", metavar="ID")
def use(keyring: Path, id: str) -> int:  # noqa: A002
    """Seal messages with this key from now on. The previous key still opens.

    This is safe once every node opens with the key: its file has the key, and its agent has written so. Nodes that
    do not have the key yet cannot hear those that use it.

    \b
    Example:
      gossip keys use 3fa2 --keyring keys
    """
    before, ring = _change(keyring, lambda ring: ring.use(id))
    if ring == before:
        _tell(f"{id} is in use already", ring)
    elif ring.in_use.is_plain:
        _tell("messages are no longer sealed", ring)
        print("next: use plain on every other node, and nothing is sealed any more")
    else:
        _tell(f"{id} is in use", ring)
        print(f"next: use {id} on every other node;")
        print(f"      once all do, on each: gossip keys drop {before.in_use.id} --keyring {_shown(keyring)}")
    return 0


@keys.command()
@keyring_option(required=True)
@click.argument("id", metavar="ID")
def drop(keyring: Path, id: str) -> int:  # noqa: A002
    """Remove a key: it no longer opens messages.

    This is safe once every node has used another key for some seconds, as its agent has written, because then no
    message with the old seal is under way. You cannot drop the key in use. This drops the key from one file only;
    drop it on every node. A stranger who knows a key can use it until the last node has dropped it.

    \b
    Example:
      gossip keys drop 3fa2 --keyring keys
    """
    _, ring = _change(keyring, lambda ring: ring.drop(id))
    _tell(f"{id} is gone", ring)
    print(f"next: drop {id} on every other node")
    return 0


def _change(file: Path, step: Callable[[Keyring], Keyring]) -> tuple[Keyring, Keyring]:
    with _explained():
        return change_file(file, step)


def _shown(file: Path) -> str:
    return printable(shlex.quote(str(file)))


def _tell(what: str, ring: Keyring) -> None:
    print(f"{what}: {describe_keys(ring)}")
