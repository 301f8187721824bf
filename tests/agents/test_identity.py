"""Signing keys by the command line: made, shown, and used by agents."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import trio

from gossip.cli.demo.cluster import NEWS_LIMIT_S, Cluster
from gossip.cli.demo.processes import AgentProcess, open_pool
from gossip.core.errors import ConfigurationError
from gossip.security.signing_key import SigningKey, load_allowed
from tests.agents.helpers import TEST_LIMIT_S, assert_one_line, run_gossip, say_nothing


def new_key(folder: Path, name: str) -> Path:
    """A file with a new signing key."""
    file = folder / f"{name}.key"
    SigningKey.generate().save_new(file)
    return file


def test_a_new_key_is_private_and_its_public_half_is_told(tmp_path: Path) -> None:
    file = tmp_path / "node.key"
    done = run_gossip("identity", "new", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    key = SigningKey.load(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key.public_text in done.stdout
    assert file.read_text().split()[-1] not in done.stdout


def test_a_key_is_not_overwritten(tmp_path: Path) -> None:
    file = new_key(tmp_path, "node")
    before = file.read_bytes()
    done = run_gossip("identity", "new", str(file))
    assert done.returncode == 2
    assert "exists already" in assert_one_line(done.stderr)
    assert file.read_bytes() == before


def test_lines_shown_make_a_list_of_allowed_keys(tmp_path: Path) -> None:
    files = {name: new_key(tmp_path, name) for name in ("ada", "web server 2")}
    lines = [run_gossip("identity", "show", str(file), "--name", name).stdout for name, file in files.items()]
    allowed = tmp_path / "allowed"
    allowed.write_text("# who may take part\n\n" + "".join(lines))
    allowed.chmod(0o644)
    assert load_allowed(allowed) == {name: SigningKey.load(file).public for name, file in files.items()}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense ada", "line 1 is not a public key and a name"),
        ("\n" + "A" * 43 + "=", "line 2 is not a public key and a name"),
        (f"{'A' * 43}= ada\n{'A' * 43}= ada", "line 2 names 'ada' a second time"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "allowed"
    file.write_text(text)
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match=reason):
        load_allowed(file)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o622])
def test_a_list_that_others_may_write_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "allowed"
    file.write_text("")
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=rf"^{file}: .*decide whom to trust: chmod go-w {file}$"):
        load_allowed(file)


def test_a_list_that_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "allowed")
    with pytest.raises(ConfigurationError, match="no file"):
        load_allowed(tmp_path / "allowed")


@pytest.mark.parametrize("text", ["", "ed25519", "ed25519 damaged=", "rsa AAAA", "ed25519 AAAA", "a\nb"])
def test_a_file_that_is_no_signing_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "node.key"
    file.write_text(text)
    file.chmod(0o600)
    done = run_gossip("agent", "--name", "a", "--bind", "127.0.0.1:0", "--identity", str(file))
    assert done.returncode == 2
    assert "damaged" not in assert_one_line(done.stderr).replace("the secret is damaged", "")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = new_key(tmp_path, "node")
    file.chmod(0o640)
    done = run_gossip("agent", "--name", "a", "--bind", "127.0.0.1:0", "--identity", str(file))
    assert done.returncode == 2
    assert "chmod 600" in assert_one_line(done.stderr)


async def start(cluster: Cluster, name: str, *arguments: str) -> AgentProcess:
    """Start an agent that joins those that run."""
    more = [word for peer in cluster.running(without=name) for word in ("--join", cluster.current[peer].address)]
    agent = await cluster.pool.start(name, ["--bind", "127.0.0.1:0", "--profile", "local", *arguments, *more])
    await agent.started()
    cluster.current[name] = agent
    cluster.ended.discard(name)
    return agent


async def test_agents_that_sign_take_in_who_is_allowed_and_nobody_else(tmp_path: Path) -> None:
    keys = {name: new_key(tmp_path, name) for name in ("a1", "a2")}
    allowed = tmp_path / "allowed"
    allowed.write_text("".join(f"{SigningKey.load(file).public_text} {name}\n" for name, file in keys.items()))
    allowed.chmod(0o644)
    with trio.fail_after(TEST_LIMIT_S):
        async with open_pool(tmp_path) as pool:
            cluster = Cluster(pool, "local", list(keys), say=say_nothing)
            for name, file in keys.items():
                await start(cluster, name, "--identity", str(file), "--allowed", str(allowed))
            await cluster.agreed(NEWS_LIMIT_S)
            key = str(new_key(tmp_path, "stranger"))
            address = cluster.current["a1"].address
            stranger = await pool.start(
                "stranger",
                ["--bind", "127.0.0.1:0", "--profile", "local", "--join", address, "--identity", key],
            )
            await stranger.started()
            await trio.sleep(cluster.quiet_s)
            ask = ("members", "--join", cluster.current["a2"].address)
            shown = await trio.to_thread.run_sync(run_gossip, *ask)
            assert shown.stdout.endswith("2 of 2 alive\n")
            assert "stranger" not in shown.stdout
