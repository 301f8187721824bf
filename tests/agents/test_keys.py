"""Keys by the command line: made, looked at and changed in their files, and taken up by agents that run."""

from __future__ import annotations

import fcntl
import json
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from gossip.cli.demo import steps
from gossip.cli.demo.cluster import NEWS_LIMIT_S, Cluster
from gossip.cli.demo.processes import AgentProcess
from gossip.cli.main import run
from gossip.security import private_file
from gossip.security.keyring import MAX_KEYS, PLAIN, Key, Keyring, change_file
from tests.agents.helpers import (
    COMMAND_LIMIT_S,
    GOSSIP,
    agents,
    assert_one_line,
    keys_of,
    run_command,
    run_gossip,
    start,
)

# --- the files


def new_file(folder: Path, *keys: Key) -> Path:
    """A file with these keys, or with a new one."""
    file = folder / "keys"
    Keyring.of(*(keys or (Key.generate(),))).save(file)
    return file


def change(file: Path, *arguments: str) -> str:
    """Run ``gossip keys`` on a file; returns what it says."""
    done = run_gossip("keys", *arguments, "--keyring", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def assert_no_secret(text: str, *files: Path) -> None:
    """Check that nothing in these files is in the text that ought to stay there."""
    secrets = {word for file in files for word in file.read_text().split() if len(word) > 40}
    assert secrets
    assert not [secret for secret in secrets if secret[:8] in text]


@pytest.mark.parametrize("algorithm", ["aes-256-gcm", "chacha20-poly1305"])
def test_keygen_makes_a_private_file_with_one_key_and_says_what_is_next(tmp_path: Path, algorithm: str) -> None:
    file = tmp_path / "my keys"
    done = run_gossip("keygen", "--algorithm", algorithm, str(file))
    assert done.returncode == 0
    ring = Keyring.load(file)
    assert [key.algorithm for key in ring.keys] == [algorithm]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"new key {ring.in_use.id}" in done.stdout
    assert f"gossip agent --keyring '{file}'" in done.stdout
    assert_no_secret(done.stdout, file)


def test_keygen_for_a_cluster_that_runs_without_keys_seals_nothing_yet(tmp_path: Path) -> None:
    done = run_gossip("keygen", "--plain-first", str(tmp_path / "keys"))
    assert done.returncode == 0
    ring = Keyring.load(tmp_path / "keys")
    assert ring.in_use == PLAIN
    (key,) = (key for key in ring.keys if not key.is_plain)
    assert f"gossip keys use {key.id}" in done.stdout


def test_keygen_does_not_overwrite_a_file(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    before = file.read_bytes()
    done = run_gossip("keygen", str(file))
    assert done.returncode == 2
    assert "exists already" in assert_one_line(done.stderr)
    assert file.read_bytes() == before


def test_a_key_is_added_then_used_and_the_old_one_dropped(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    old = Keyring.load(file).in_use
    said = change(file, "add", "--algorithm", "chacha20-poly1305")
    (new,) = (key for key in Keyring.load(file).keys if key != old)
    assert new.algorithm == "chacha20-poly1305"
    assert Keyring.load(file) == Keyring.of(old, new)
    assert f"added {new.id}: sealing with {old.id}, opening {old.id} and {new.id}\n" in said
    assert f"gossip keys use {new.id}" in said
    said += change(file, "use", new.id)
    assert Keyring.load(file) == Keyring.of(old, new).use(new.id)
    assert f"gossip keys drop {old.id}" in said
    said += change(file, "drop", old.id)
    assert Keyring.load(file) == Keyring.of(new)
    assert f"{old.id} is gone: sealing with {new.id}, opening {new.id}\n" in said
    assert_no_secret(said, file)


def test_sealing_is_turned_off_by_the_same_steps_with_plain(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    key = Keyring.load(file).in_use
    assert "accepting what is not sealed" in change(file, "add", "plain")
    assert "sealing nothing" in change(file, "use", "plain")
    assert Keyring.load(file) == Keyring.of(key, PLAIN).use("plain")
    change(file, "drop", key.id)
    assert Keyring.load(file) == Keyring.of(PLAIN)


def test_the_list_shows_what_each_key_is_for_and_no_secret(tmp_path: Path) -> None:
    used, other = Key.generate(), Key.generate("chacha20-poly1305")
    file = new_file(tmp_path, used, other, PLAIN)
    table, as_json = change(file, "list"), change(file, "list", "--json")
    assert [row.split() for row in table.splitlines()] == [
        ["ID", "ALGORITHM", "USED", "TO"],
        [used.id, "aes-256-gcm", "seal", "and", "open"],
        [other.id, "chacha20-poly1305", "open"],
        ["plain", "accept", "unsealed"],
    ]
    assert json.loads(as_json) == [
        {"id": used.id, "algorithm": "aes-256-gcm", "in_use": True},
        {"id": other.id, "algorithm": "chacha20-poly1305", "in_use": False},
        {"id": "plain", "algorithm": "plain", "in_use": False},
    ]
    assert_no_secret(table + as_json, file)


def test_the_keys_of_another_file_are_taken_over_but_neither_its_use_nor_plain(tmp_path: Path) -> None:
    mine, theirs = Key.generate(), Key.generate()
    (tmp_path / "other").mkdir()
    file, other = new_file(tmp_path, mine), new_file(tmp_path / "other", theirs, mine, PLAIN)
    said = change(file, "add", "--from", str(other))
    assert Keyring.load(file) == Keyring.of(mine, theirs)
    assert "nothing to add" in change(file, "add", "--from", str(other))
    assert_no_secret(said, file, other)


def from_standard_input(file: Path, given: str) -> subprocess.CompletedProcess[str]:
    return run_gossip("keys", "add", "--from", "-", "--keyring", str(file), given=given.encode())


def test_a_single_line_of_another_file_comes_by_standard_input(tmp_path: Path) -> None:
    mine, theirs = Key.generate(), Key.generate()
    file = new_file(tmp_path, mine)
    line = Keyring.of(mine, theirs).format().splitlines()[-1]
    assert line.startswith(f"open {theirs.id}")
    assert from_standard_input(file, line).returncode == 0
    assert Keyring.load(file) == Keyring.of(mine, theirs)


def test_what_is_no_key_on_standard_input_changes_nothing_and_is_not_repeated(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    before = file.read_bytes()
    for given in ("", "# nothing\n", f"use {'s3cr3t' * 8}\n", "x" * 100_000):
        done = from_standard_input(file, given)
        assert done.returncode == 2
        assert "standard input" in assert_one_line(done.stderr)
        assert "s3cr3t" not in done.stderr
    assert file.read_bytes() == before


def test_a_standard_input_that_is_closed_is_told_in_a_line(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    closed = ("sh", "-c", '"$@" <&-', "sh")
    done = run_command(*closed, *GOSSIP, "keys", "add", "--from", "-", "--keyring", str(file))
    assert done.returncode == 2
    assert "standard input is closed" in assert_one_line(done.stderr)


FIRST, SECOND, MINE, FOREIGN = (Key("aes-256-gcm", bytes([number]) * 32) for number in range(1, 5))


@pytest.mark.parametrize(
    ("command", "is_made"),
    [
        ("add", lambda ring: ring.keys[:3] == (FIRST, SECOND, MINE) and len(ring.keys) == 4),
        ("add --from other", lambda ring: ring == Keyring.of(FIRST, SECOND, MINE, FOREIGN)),
        (f"use {SECOND.id}", lambda ring: ring == Keyring.of(FIRST, SECOND, MINE).use(SECOND.id)),
        (f"drop {SECOND.id}", lambda ring: ring == Keyring.of(FIRST, MINE)),
    ],
)
def test_a_change_is_made_to_what_one_under_way_at_the_same_time_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, is_made: Callable[[Keyring], bool]
) -> None:
    """The other one is made by a thread: each has opened the file for itself, so they lock each other out."""
    monkeypatch.chdir(tmp_path)
    file = new_file(tmp_path, FIRST, SECOND)
    Keyring.of(FOREIGN).save(tmp_path / "other")
    lock, locks_or_is_done = fcntl.flock, threading.Event()

    def change_meanwhile() -> None:
        run(["keys", *command.split(), "--keyring", "keys"])
        locks_or_is_done.set()

    def lock_and_tell(descriptor: int, how: int) -> None:
        locks_or_is_done.set()
        lock(descriptor, how)

    def add_mine_when_the_other_is_there(ring: Keyring) -> Keyring:
        monkeypatch.setattr(fcntl, "flock", lock_and_tell)
        other.start()
        assert locks_or_is_done.wait(COMMAND_LIMIT_S)
        return ring.add(MINE)

    other = threading.Thread(target=change_meanwhile)
    change_file(file, add_mine_when_the_other_is_there)
    other.join(COMMAND_LIMIT_S)
    assert is_made(Keyring.load(file))


def test_a_new_key_is_none_that_the_others_could_be_taken_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [FIRST, SECOND, MINE]
    file = new_file(tmp_path, FIRST, SECOND)
    monkeypatch.setattr(Key, "generate", lambda _: drawn.pop(0))
    assert run(["keys", "add", "--keyring", str(file)]) == 0
    assert Keyring.load(file) == Keyring.of(FIRST, SECOND, MINE)


def test_looking_at_a_file_waits_for_nobody_who_changes_it(tmp_path: Path) -> None:
    file = new_file(tmp_path, FIRST)
    with private_file.locked(file):
        assert FIRST.id in change(file, "list")


def test_a_step_that_would_be_wrong_is_refused_with_what_to_do_and_changes_nothing(tmp_path: Path) -> None:
    full = [Key.generate() for _ in range(MAX_KEYS)]
    file = new_file(tmp_path, *full)
    before = file.read_bytes()
    for arguments, advice in [
        (("drop", full[0].id), "use another key first"),
        (("drop", "plain"), f"the ids are {full[0].id}"),
        (("use", "zzzz"), f"the ids are {full[0].id}"),
        (("add",), "drop those"),
        (("add", "plain", "--from", str(file)), "one at a time"),
        (("add", "rot13"), "plain"),
        (("add", "--from", str(tmp_path / "missing")), "No such file"),
        (("add", "plain", "--algorithm", "aes-256-gcm"), "for a new key, but plain has none"),
        (
            ("add", "--from", str(file), "--algorithm", "aes-256-gcm"),
            "for a new key, but keys from another file have their own",
        ),
    ]:
        done = run_gossip("keys", *arguments, "--keyring", str(file))
        assert done.returncode == 2
        assert advice in assert_one_line(done.stderr)
    assert file.read_bytes() == before


def test_a_file_that_others_can_read_is_refused_by_every_command(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.chmod(0o640)
    for arguments in (
        ("keys", "list"),
        ("keys", "drop", "plain"),
        ("agent", "--name", "a", "--bind", "127.0.0.1:0"),
        ("members", "--join", "127.0.0.1:1"),
    ):
        done = run_gossip(*arguments, "--keyring", str(file))
        assert done.returncode == 2
        assert f"chmod 600 {file}" in assert_one_line(done.stderr)
        assert done.stdout == ""


def run_without_sealing(*commands: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run commands one after the other where the package that seals is not installed, until one fails."""
    code = "import sys; sys.modules['cryptography'] = None; from gossip.cli.main import run; "
    code += f"sys.exit(next(filter(None, map(run, {commands})), 0))"
    return run_command(sys.executable, "-c", code)


def test_keys_are_made_and_changed_without_the_package_that_seals(tmp_path: Path) -> None:
    file = str(tmp_path / "keys")
    done = run_without_sealing(
        ("keygen", file), ("keys", "add", "--keyring", file), ("keys", "list", "--keyring", file)
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(Keyring.load(tmp_path / "keys").keys) == 2


def test_without_the_package_that_seals_an_agent_with_keys_says_what_to_install(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    done = run_without_sealing(("agent", "--name", "a", "--bind", "127.0.0.1:0", "--keyring", str(file)))
    assert done.returncode == 2
    assert "gossip-membership[crypto]" in assert_one_line(done.stderr)


# --- agents


async def change_keys(cluster: Cluster, name: str, *arguments: str) -> Keyring:
    """Change an agent's file by ``gossip keys``, tell it, and wait until it says that it has what is now there."""
    since = len(cluster.journal.sightings)
    await trio.to_thread.run_sync(change, keys_of(cluster, name), *arguments)
    cluster.current[name].send(signal.SIGHUP)
    ring = Keyring.load(keys_of(cluster, name))
    await taken_up(cluster, name, ring, since)
    return ring


async def taken_up(cluster: Cluster, name: str, ring: Keyring, since: int = 0) -> None:
    """Wait until an agent says that it has these keys."""
    expected = {"seals": ring.in_use.id, "opens": [key.id for key in ring.keys]}
    await cluster.noticed(
        [name],
        lambda s: s.kind == "keys" and expected.items() <= s.event.items(),
        since,
        NEWS_LIMIT_S,
        f"its keys are now {expected}",
    )


async def heard(cluster: Cluster, speaker: str, listener: str) -> None:
    """Let one agent say something new of itself, and wait until another one knows."""
    since = len(cluster.journal.sightings)
    cluster.meta_file(speaker).write_text(f"said={since}\n")
    cluster.current[speaker].send(signal.SIGHUP)
    await cluster.noticed(
        [listener], lambda s: s.kind == "updated" and s.subject == speaker, since, NEWS_LIMIT_S, f"{speaker} spoke"
    )


def nothing_happened(cluster: Cluster) -> bool:
    """Whether the agents told nothing but that they are there, what they said, and their keys."""
    told = {sighting.event.get("standing", sighting.kind) for sighting in cluster.journal.sightings}
    return told <= {"started", "joining", "connected", "keys", "joined", "updated"}


async def test_a_key_is_replaced_while_the_agents_run_and_no_member_is_suspected(tmp_path: Path) -> None:
    old = Key.generate()
    async with agents(tmp_path, a1=Keyring.of(old), a2=Keyring.of(old)) as cluster:
        ring = await change_keys(cluster, "a1", "add")
        (new,) = (key for key in ring.keys if key != old)
        await change_keys(cluster, "a2", "add", "--from", str(keys_of(cluster, "a1")))
        for arguments in (("use", new.id), ("drop", old.id)):
            for name in ("a1", "a2"):
                await change_keys(cluster, name, *arguments)
                await heard(cluster, "a1", "a2")
                await heard(cluster, "a2", "a1")
        await trio.sleep(cluster.quiet_s)
        assert nothing_happened(cluster), cluster.journal.sightings


async def test_sealing_is_turned_on_while_the_agents_run_and_no_member_is_suspected(tmp_path: Path) -> None:
    key = Key.generate()
    async with agents(tmp_path, a1=None, a2=None) as cluster:
        for name in ("a1", "a2"):
            await steps.leave(cluster, name)
            await start(cluster, name, Keyring.of(PLAIN, key))
            await cluster.agreed(NEWS_LIMIT_S)
        for arguments in (("use", key.id), ("drop", "plain")):
            for name in ("a1", "a2"):
                await change_keys(cluster, name, *arguments)
                await heard(cluster, "a1", "a2")
                await heard(cluster, "a2", "a1")
        await trio.sleep(cluster.quiet_s)
        assert not cluster.journal.after(0, "suspected", "died", "conflict")
        ask = ("members", "--join", cluster.current["a1"].address, "--timeout", "2")
        sealed = await trio.to_thread.run_sync(run_gossip, *ask, "--keyring", str(keys_of(cluster, "a2")))
        assert sealed.returncode == 0
        assert sealed.stdout.endswith("2 of 2 alive\n")
        unsealed = await trio.to_thread.run_sync(run_gossip, *ask)
        assert unsealed.returncode == 1
        assert_one_line(unsealed.stderr)


async def test_an_agent_without_the_right_key_never_becomes_a_member(tmp_path: Path) -> None:
    ring = Keyring.of(Key.generate())
    wrong = {"another": Keyring.of(Key.generate()), "plain": Keyring.of(PLAIN), "none": None}
    async with agents(tmp_path, a1=ring, a2=ring) as cluster:
        strangers = [await start(cluster, name, keys) for name, keys in wrong.items()]
        cluster.ended.update(wrong)
        cluster.names = ["a1", "a2", "a3"]
        await start(cluster, "a3", ring)
        await cluster.agreed(NEWS_LIMIT_S)
        await trio.sleep(cluster.quiet_s)
        assert [stranger.returncode for stranger in strangers] == [None] * 3
        pairs = {(s.observer, s.subject) for s in cluster.journal.sightings}
        assert {pair for pair in pairs if set(pair) & wrong.keys()} == {(name, name) for name in wrong}


async def test_a_file_that_is_not_acceptable_changes_nothing_and_is_reported_once(tmp_path: Path) -> None:
    first, second = Keyring.of(Key.generate()), Keyring.of(Key.generate())
    async with agents(tmp_path, a1=first) as cluster:
        agent, file = cluster.current["a1"], keys_of(cluster, "a1")
        await taken_up(cluster, "a1", first)
        first.save(tmp_path / "before")
        file.write_text(first.format().replace("use ", "abuse "))
        await complained(agent, 1)
        agent.send(signal.SIGHUP)
        await complained(agent, 2)
        file.unlink()
        await complained(agent, 3)
        second.save(file)
        await taken_up(cluster, "a1", second)
        assert agent.errors.count(b"\n") == 3, agent.errors
        assert (
            b"cannot read the keys again, so they stay as they were: --keyring: " + str(file).encode() + b": line 3"
            in agent.errors
        )
        assert_no_secret(agent.errors.decode(), file, tmp_path / "before")
        assert len(cluster.journal.after(0, "keys")) == 2


async def complained(agent: AgentProcess, times: int) -> None:
    """Wait until it has logged so many times that keys stay. No event announces a log line, so this polls."""
    while agent.errors.count(b"so they stay as they were") < times:  # noqa: ASYNC110
        await trio.sleep(0.02)


async def test_a_file_with_wrong_rights_is_taken_up_once_they_are_mended(tmp_path: Path) -> None:
    first, second = Keyring.of(Key.generate()), Keyring.of(Key.generate())
    async with agents(tmp_path, a1=first) as cluster:
        agent, file = cluster.current["a1"], keys_of(cluster, "a1")
        file.chmod(0o644)
        file.write_text(second.format())
        await complained(agent, 1)
        assert f"chmod 600 {file}".encode() in agent.errors
        file.chmod(0o600)
        await taken_up(cluster, "a1", second)


def test_the_keys_are_told_to_people_in_a_line_of_their_own(tmp_path: Path) -> None:
    ring = Keyring.of(Key.generate(), PLAIN)
    file = new_file(tmp_path, *ring.keys)
    command = [*GOSSIP, "agent", "--name", "a", "--bind", "127.0.0.1:0", "--keyring", str(file)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as agent:
        try:
            assert agent.stdout is not None
            _, *started = agent.stdout.readline().split()
            _, *told = agent.stdout.readline().split(maxsplit=2)
            assert started[0] == "started"
            name = ring.in_use.id
            assert told == ["keys", f"sealing with {name}, opening {name}, accepting what is not sealed\n"]
            agent.terminate()
            assert agent.wait(COMMAND_LIMIT_S) == 0
        finally:
            agent.kill()


def test_without_keys_an_agent_binds_only_where_nobody_else_reaches_it_unless_told_to(tmp_path: Path) -> None:
    agent = ("agent", "--name", "a", "--bind", "0.0.0.0:0")
    refused = run_gossip(*agent)
    assert refused.returncode == 2
    line = assert_one_line(refused.stderr)
    assert "--keyring" in line
    assert "--insecure" in line
    for allowed in (["--insecure"], ["--keyring", str(new_file(tmp_path))]):
        with subprocess.Popen([*GOSSIP, *agent, *allowed], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as running:
            try:
                assert running.stdout is not None
                assert b"started" in running.stdout.readline()
                running.terminate()
                assert running.wait(COMMAND_LIMIT_S) == 0
            finally:
                running.kill()
