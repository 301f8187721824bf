"""The systems that are compared, and how a host of each is made ready on this machine."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import attrs

from benchmarks.environment.builds import ROOT, Unavailable, alone, cache, our_version, output

PEERS = ROOT / "benchmarks" / "peers"

GO_PATH = Path("/usr/share/gocode")
"""Where Debian puts the sources of packages in Go."""

MEMBERLIST_PACKAGE = "golang-github-hashicorp-memberlist-dev"

SWIM_PROTOCOL = "swim-protocol"
SWIM_PROTOCOL_VERSION = "0.6.3"

_OUR_HOST = (sys.executable, "-m", "benchmarks.peers.ours")


@attrs.frozen(kw_only=True)
class System:
    """One of the systems that are compared, ready to run."""

    name: str
    what: str
    """The system in words, with its version."""
    command: tuple[str, ...]
    """The command line of a host."""
    nodes_per_host: int | None = None
    """Most nodes to start in one host; None for no limit."""


def ours() -> System:
    """This library, all nodes in one process."""
    return System(name="ours", what=f"{our_version()}, all nodes in one process", command=_OUR_HOST)


def ours_processes() -> System:
    """This library, each node in a process of its own."""
    return System(
        name="ours-processes",
        what=f"{our_version()}, each node in a process of its own",
        command=_OUR_HOST,
        nodes_per_host=1,
    )


def memberlist(profile: str) -> System:
    """memberlist with one of its own profiles, such as ``lan``.

    :raises Unavailable: without a Go compiler or without the sources of memberlist.
    """
    host, version = _memberlist_host()
    return System(
        name=f"memberlist-{profile}",
        what=f"{version}, its own profile {profile}",
        command=(str(host), "-profile", profile),
    )


def memberlist_matched() -> System:
    """memberlist with its profile ``lan``, but as fast as the datagrams that ours spends allow.

    There is nothing to match in an idle cluster: both send 2.0 datagrams per node and second, a question and an answer.
    memberlist looks at its queue of news every 200 ms, but sends nothing if the queue is empty. For an update both send
    about six datagrams per node, memberlist within two seconds. Here memberlist looks at its queue every 20 ms, and so
    sends as many within a fifth of a second.

    :raises Unavailable: without a Go compiler or without the sources of memberlist.
    """
    lan = memberlist("lan")
    return attrs.evolve(
        lan,
        name="memberlist-matched",
        what=f"{_memberlist_host()[1]}, its own profile lan, but news sent every 20 ms in place of 200",
        command=(*lan.command, "-gossip-interval", "20ms"),
    )


def swim_protocol() -> System:
    """swim-protocol with its default settings, all nodes in one event loop.

    :raises Unavailable: if it is not installed yet and cannot be installed.
    """
    python = _swim_protocol_python()
    return System(
        name=SWIM_PROTOCOL,
        what=f"{SWIM_PROTOCOL} {SWIM_PROTOCOL_VERSION} (PyPI), Python {platform.python_version()}, default settings, "
        "all nodes in one process",
        command=(str(python), str(PEERS / "swim.py")),
    )


SYSTEMS: Mapping[str, Callable[[], System]] = {
    "ours": ours,
    "ours-processes": ours_processes,
    "memberlist-lan": partial(memberlist, "lan"),
    "memberlist-local": partial(memberlist, "local"),
    "memberlist-matched": memberlist_matched,
    SWIM_PROTOCOL: swim_protocol,
}
"""By name. Each makes a system ready, or raises :class:`Unavailable`."""


def _memberlist_host() -> tuple[Path, str]:
    """The program of the host, built if necessary, and the versions of what it is built from."""
    go = shutil.which("go")
    if go is None or not (GO_PATH / "src/github.com/hashicorp/memberlist").is_dir():
        missing = "no Go compiler" if go is None else f"no sources of it in {GO_PATH}"
        raise Unavailable(f"memberlist: {missing}; apt-get install golang-go {MEMBERLIST_PACKAGE}")
    compiler = output("memberlist", go, "version")
    version = f"hashicorp/memberlist {_debian_version(MEMBERLIST_PACKAGE)} (Debian), {compiler}"
    program = cache() / f"memberlist-{_fingerprint(version)}"
    with alone("memberlist"):
        if not program.exists():
            _build(go, program)
    return program, version


def _debian_version(package: str) -> str:
    if shutil.which("dpkg-query") is None:
        return "of unknown version"
    return output("memberlist", "dpkg-query", "--show", "--showformat=${Version}", package)


def _fingerprint(version: str) -> str:
    """A text that changes with the sources of the host, the compiler and the library."""
    digest = hashlib.sha256(version.encode())
    for source in sorted((PEERS / "memberlist").glob("*.go")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _build(go: str, program: Path) -> None:
    fresh = program.with_suffix(".new")
    surroundings = os.environ | {
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOCACHE": str(cache() / "go-build"),
        "GOFLAGS": "",
        "GOPATH": str(GO_PATH),
    }
    output("memberlist", go, "build", "-o", str(fresh), "./benchmarks/peers/memberlist", environment=surroundings)
    fresh.replace(program)


def _swim_protocol_python() -> Path:
    """The interpreter of an environment with swim-protocol, made if necessary."""
    home = cache() / f"{SWIM_PROTOCOL}-{SWIM_PROTOCOL_VERSION}-python-{platform.python_version()}"
    python = home / "bin/python"
    with alone(SWIM_PROTOCOL):
        if not _has_swim_protocol(python):
            output(SWIM_PROTOCOL, sys.executable, "-m", "venv", "--clear", str(home))
            pip = (str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--retries=1")
            output(SWIM_PROTOCOL, *pip, f"{SWIM_PROTOCOL}=={SWIM_PROTOCOL_VERSION}")
    return python


def _has_swim_protocol(python: Path) -> bool:
    if not python.exists():
        return False
    asked = f"from importlib.metadata import version; print(version('{SWIM_PROTOCOL}'))"
    told = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False)
    return told.stdout.strip() == SWIM_PROTOCOL_VERSION
