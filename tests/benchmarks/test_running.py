"""``python -m benchmarks run`` on small clusters of this library."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.analysis.samples import Results
from tests.benchmarks.commands import interrupted, measure


@pytest.fixture(scope="module")
def joins(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What was measured of small clusters that come into being."""
    folder = tmp_path_factory.mktemp("joins")
    return measure(folder, "join", "--systems", "ours,ours-processes", "--nodes", "5", "--quick")


@pytest.mark.benchmark  # measures real nodes
def test_a_join_is_seen_by_all_and_tells_how_many_sizes_were_seen(joins: Results) -> None:
    assert [each.system for each in joins.samples] == ["ours", "ours-processes"]
    for sample in joins.samples:
        assert (sample.experiment, sample.nodes, sample.repeat) == ("join", 5, 0)
        assert len(sample.times_s) == 5
        assert sample.numbers["missing"] == 0
        assert sample.numbers["last_s"] == pytest.approx(max(sample.times_s), abs=1e-6)
        assert 1 <= (sample.numbers["sizes"] or 0) <= 5
        assert (sample.numbers["datagrams_per_node"] or 0) >= 2


@pytest.mark.benchmark  # measures real nodes
@pytest.mark.benchmark
def test_an_update_is_heard_by_all_others(tmp_path: Path) -> None:
    results = measure(tmp_path, "update", "--systems", "ours", "--nodes", "4", "--quick")
    assert results.samples
    for sample in results.samples:
        assert len(sample.times_s) == 3
        assert 0 < min(sample.times_s) <= (sample.numbers["p50_s"] or 0) <= (sample.numbers["last_s"] or 0)


@pytest.mark.benchmark  # measures real nodes
def test_a_farewell_is_heard_and_a_restart_is_seen_by_all_others(tmp_path: Path) -> None:
    results = measure(tmp_path, "leave", "restart", "--systems", "ours", "--nodes", "4", "--quick")
    assert [each.experiment for each in results.samples] == ["leave", "restart"]
    assert all(len(each.times_s) == 3 and each.numbers["missing"] == 0 for each in results.samples)


@pytest.mark.benchmark  # measures real nodes
def test_results_tell_the_machine_and_what_each_system_is(joins: Results) -> None:
    assert set(joins.systems) == {"ours", "ours-processes"}
    assert {"cores", "processor", "python", "commit", "load", "load_after"} <= set(joins.machine)
    assert not joins.skipped


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("jion",), "'jion' is not"),
        (("--systems", "ours,serf"), "'serf' is not one of"),
        (("--nodes", "2"), "3 to 1000 nodes"),
        (("--nodes", "many"), "numbers separated by commas"),
        (("--repeat", "0"), "--repeat"),
    ],
)
def test_bad_usage_is_refused_with_what_would_be_right(arguments: tuple[str, ...], complaint: str) -> None:
    done = CliRunner().invoke(main, ["run", *arguments])
    assert done.exit_code == 2
    assert complaint in done.output


def test_an_interrupt_keeps_what_was_measured(tmp_path: Path) -> None:
    code, complaints, results = interrupted(tmp_path, "join", "idle", "--systems", "ours", "--nodes", "3", "--quick")
    assert code == 130
    assert complaints.endswith("interrupted; the tables show what was measured until then\n")
    assert "Traceback" not in complaints
    assert [each.experiment for each in results.samples] == ["join"]


def test_help_names_every_experiment() -> None:
    told = CliRunner().invoke(main, ["run", "--help"]).output
    for name in ("join", "update", "crash", "leave", "restart", "heal", "slow", "lossy", "idle", "limits", "micro"):
        assert f"  {name} " in told
