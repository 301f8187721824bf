"""The examples: workers share out partitions, and take over those of one that is killed or leaves."""

from __future__ import annotations

import importlib.util
import json
import re
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trio

from tests.docs.programs import Output, running
from tests.node.nodes import until
from tests.rst import ROOT, blocks, document

EXAMPLES = ROOT / "examples"
PARTITIONS = set(range(12))
NEEDS = {"fastapi_workers.py": "fastapi"}
"""What an example needs that the extra ``test`` does not have."""

FILES = sorted(path.name for path in EXAMPLES.glob("*.py"))


def code_of(file: str) -> str:
    """The text of an example.

    Skips the test if a package is missing.
    """
    needed = NEEDS.get(file)
    if needed is not None and importlib.util.find_spec(needed) is None:
        pytest.skip(f"pip install 'gossip-membership[web-test]': no {needed}")
    return (EXAMPLES / file).read_text("utf-8")


def shares_in(output: Output) -> dict[str, set[int]]:
    """Who owns what, by the last line that a worker has printed about it."""
    whole = output.text.rpartition("\n")[0].splitlines()
    lines = [line for line in whole if re.match(r"\w+: \[", line)]
    parts = [part.split(": ") for part in lines[-1].split(" | ")] if lines else []
    return {name: set(json.loads(owned)) for name, owned in parts}


def shared_out(names: set[str], *outputs: Output) -> bool:
    """Whether these workers, and no others, have all partitions, in the eyes of all of them."""
    all_shares = [shares_in(output) for output in outputs]
    return all(shares == all_shares[0] for shares in all_shares) and (
        all_shares[0].keys() == names and set().union(*all_shares[0].values()) == PARTITIONS
    )


@pytest.mark.parametrize("file", FILES)
async def test_workers_share_out_the_partitions_of_one_that_is_killed_and_of_one_that_leaves(
    file: str, tmp_path: Path
) -> None:
    code = code_of(file)
    async with AsyncExitStack() as stack:
        _, first = await stack.enter_async_context(running(tmp_path, code, "ada"))
        await until(lambda: re.search(r"^ada is at \S+\n", first.text, re.MULTILINE) is not None)
        (address,) = re.findall(r"^ada is at (\S+)$", first.text, re.MULTILINE)
        brook, second = await stack.enter_async_context(running(tmp_path, code, "brook", address))
        cleo, third = await stack.enter_async_context(running(tmp_path, code, "cleo", address))
        await until(lambda: shared_out({"ada", "brook", "cleo"}, first, second, third))
        before = shares_in(first)
        cleo.send_signal(signal.SIGKILL)
        await until(lambda: shared_out({"ada", "brook"}, first, second))
        assert all(before[name] <= shares_in(first)[name] for name in ("ada", "brook")), "only those of cleo move"
        brook.send_signal(signal.SIGINT)
        with trio.fail_after(10):
            assert await brook.wait() == 0
        await until(lambda: shared_out({"ada"}, first))


def test_readme_shows_a_part_of_one_and_links_to_all() -> None:
    readme = document("README.rst")
    (shown,) = [block.text for block in blocks(readme) if "share_out" in block.text]
    assert shown in (EXAMPLES / "asyncio_workers.py").read_text("utf-8")
    assert [file for file in FILES if f"<examples/{file}>`_" not in readme] == []
