"""The systems that are compared, and how a host of each is made ready on this machine.

What has to be built or installed for a host is kept in a cache directory, so that it is done once.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "peers"

GO_PATH = Path("/usr/share/gocode")
"""Where Debian puts the sources of packages in Go."""

MEMBERLIST_PACKAGE = "golang-github-hashicorp-memberlist-dev"

SWIM_PROTOCOL = "swim-protocol"
SWIM_PROTOCOL_VERSION = "0.6.3"

BUILD_LIMIT_S = 600.0

_OUR_HOST = (sys.executable, "-m", "benchmarks.peers.ours")


class Unavailable(Exception):
    """A system cannot run on this machine. The text says what is missing and what to do about it."""


@attrs.frozen(kw_only=True)
class System:
    """One of the systems that are compared, ready to run."""

    name: str
    what: str
    """In words, with its version."""
    command: tuple[str, ...]
    """Command line of a host; see :meth:`command_for`."""
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
    """memberlist with its profile ``lan``, but as fast as it can be for the datagrams that ours spends.

    Idle, there is nothing to match: both send 2.0 datagrams per node and second, a question and an answer. memberlist
    looks at its queue of news every 200 ms, but sends nothing if it is empty. With an update both send about six
    datagrams per node, memberlist over two seconds. Here it looks at its queue every 20 ms, and so sends as many in a
    fifth of a second.

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


def our_version() -> str:
    """This library, with its version and that of Python."""
    try:
        version = importlib.metadata.version("gossip-membership")
    except importlib.metadata.PackageNotFoundError:
        version = "(not installed)"
    return f"gossip-membership {version}, Python {platform.python_version()}"


def _memberlist_host() -> tuple[Path, str]:
    """The host's program, built if need be, and the versions of what it is built from."""
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
    """Changes with the sources of the host, the compiler and the library."""
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
    """The interpreter of an environment in which there is swim-protocol, made if need be."""
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


def cache() -> Path:
    """The folder in which is kept what was built or installed."""
    home = os.environ.get("XDG_CACHE_HOME")
    directory = (Path(home) if home else Path.home() / ".cache") / "gossip-membership-benchmarks"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Two processes do not prepare the same thing at once."""
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def output(system: str, *command: str, environment: Mapping[str, str] | None = None) -> str:
    """What a command prints.

    :raises Unavailable: if it fails; its last words are the reason.
    """
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=BUILD_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{system}: {error}") from None
    if done.returncode != 0:
        raise Unavailable(f"{system}: {shlex.join(command)} failed: {_last_words(done.stderr)}")
    return done.stdout.strip()


def _last_words(text: str) -> str:
    return "; ".join(text.strip().splitlines()[-3:]) or "it does not say why"
