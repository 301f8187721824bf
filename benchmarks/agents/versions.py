"""Other versions of this library: finding the one that is meant, and an environment in which it is installed.

The cache of the benchmarks keeps the environments by commit, so that each is made once.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from benchmarks.environment.builds import Unavailable, alone, cache, output
from benchmarks.environment.measuring import machine

KEYRING, INSECURE = "--keyring", "--insecure"
"""Options that some versions lack."""


@attrs.frozen
class Version:
    """A version that can be run."""

    title: str
    """The reference that the user gave, with the commit."""
    command: tuple[str, ...]
    """Its command ``gossip``."""
    options: frozenset[str]
    """Those of the options above that its agents know."""


def this_version() -> Version:
    """The version in this checkout."""
    command = (sys.executable, "-m", "gossip")
    return Version(f"this version ({machine()['commit']})", command, _options(command))


def newest_tag() -> str:
    """The newest tag that does not contain the commit of this checkout.

    :raises Unavailable: if there is none.
    """
    tags = _git("tag", "--sort=-creatordate", "--no-contains", "HEAD").split()
    if not tags:
        raise Unavailable("there is no tag yet to upgrade from: name a tag, branch or commit with --from")
    return tags[0]


def version_of(reference: str) -> Version:
    """The version of a tag, branch or commit, installed if need be.

    :raises Unavailable: if there is no such thing, or it cannot be installed.
    """
    try:
        commit = _git("rev-parse", "--verify", "--short=12", f"{reference}^{{commit}}")
    except Unavailable:
        raise Unavailable(f"there is no tag, branch or commit {reference!r}") from None
    home = cache() / f"gossip-{commit}-python-{sys.version_info.major}.{sys.version_info.minor}"
    python = home / "bin/python"
    with alone(f"gossip-{commit}"):
        if not (home / "complete").exists():
            _install(commit, home, python)
            (home / "complete").touch()
    # Isolated: neither this folder nor PYTHONPATH may put this version in its place.
    command = (str(python), "-I", "-m", "gossip")
    title = commit if commit.startswith(reference) else f"{reference} ({commit})"
    return Version(title, command, _options(command))


def _install(commit: str, home: Path, python: Path) -> None:
    with tempfile.TemporaryDirectory() as source:
        archive = f"{source}/source.tar"
        output(commit, "git", "archive", "--output", archive, commit)
        output(commit, "tar", "--extract", "--file", archive, "--directory", source)
        output(commit, sys.executable, "-m", "venv", "--clear", str(home))
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        output(commit, *pip, f"{source}[cli,crypto]")


def _options(command: Sequence[str]) -> frozenset[str]:
    told = output("gossip agent", *command, "agent", "--help")
    return frozenset(option for option in (KEYRING, INSECURE) if option in told)


def _git(*arguments: str) -> str:
    return output("git", "git", *arguments)
