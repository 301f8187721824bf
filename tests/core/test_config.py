"""Configuration: every field has bounds, and every error names its field."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from gossip.core.config import PROFILES, Config
from gossip.core.errors import ConfigurationError, GossipError
from sims.world.simulation import WALL_START_MS
from tests.core.worlds import World

NUMBERS = [field.name for field in attrs.fields(Config) if field.name != "cluster"]
WHOLE = [name for name in NUMBERS if type(getattr(Config(), name)) is int]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_valid_and_takes_changes(profile: str) -> None:
    assert PROFILES[profile](max_members=77).max_members == 77


@pytest.mark.parametrize("value", ["1", None, True, [1], b"1", float("nan"), float("inf"), -1, -1e9, 1e12])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_value_out_of_range_or_of_the_wrong_kind_is_refused_by_field(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must"):
        Config(**{name: value})


@pytest.mark.parametrize("name", WHOLE)
def test_a_fraction_is_no_whole_number(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be a whole number"):
        Config(**dict[str, Any]({name: 3.5}))


@pytest.mark.parametrize(
    "name", ["probe_interval", "ack_timeout_min", "suspicion_min", "reconcile_after", "leave_timeout", "forget_after"]
)
def test_an_interval_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must"):
        Config(**dict[str, Any]({name: 0}))


@pytest.mark.parametrize("cluster", ["", "x" * 129, "\u00e9" * 65, 5, None, b"name", ["a"], "\ud800"])
def test_a_bad_cluster_name_is_refused(cluster: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^cluster must"):
        Config(cluster=cluster)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"ack_timeout_initial": 0.05}, ["ack_timeout_initial", "ack_timeout_min"]),
        ({"ack_timeout_initial": 0.9}, ["ack_timeout_initial", "ack_timeout_max"]),
        ({"ack_timeout_min": 0.3}, ["ack_timeout_initial", "ack_timeout_min"]),
        ({"suspicion_min": 0.5}, ["suspicion_min", "ack_timeout_max"]),
        ({"suspicion_max": 1.0}, ["suspicion_max", "suspicion_min"]),
        ({"stream_timeout": 4.0}, ["stream_timeout", "stream_idle_timeout"]),
        ({"stream_idle_timeout": 20.0}, ["stream_timeout", "stream_idle_timeout"]),
        ({"max_metadata": 1000}, ["max_metadata", "max_datagram"]),
        ({"max_datagram": 600}, ["max_metadata", "max_datagram"]),
    ],
)
def test_values_that_contradict_each_other_are_refused_by_both_names(
    changes: dict[str, Any], fields: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Config(**changes)
    assert all(field in str(caught.value) for field in fields)


def test_a_configuration_cannot_be_changed() -> None:
    config = Config()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.probe_interval = 2.0  # type: ignore[misc]


@pytest.mark.parametrize("made", [Config, *PROFILES.values()], ids=["Config", *PROFILES])
def test_a_misspelt_setting_is_refused_with_the_nearest_name(made: Callable[..., Config]) -> None:
    said = r"^'probe_intervall' is not a setting \(did you mean 'probe_interval'\?\); help\(gossip\.Config\) explains"
    with pytest.raises(ConfigurationError, match=said):
        made(probe_intervall=1.0)
    with pytest.raises(ConfigurationError, match=r"^'x' is not a setting; help"):
        made(x=1)
    with pytest.raises(ConfigurationError, match="did you mean 'max_members'"):
        attrs.evolve(made(), max_member=5)  # type: ignore[call-arg]


def test_help_shows_the_settings_with_their_defaults() -> None:
    shown = inspect.signature(Config).parameters
    assert {name: parameter.default for name, parameter in shown.items()} == attrs.asdict(Config())


def test_a_configuration_error_is_a_value_error_and_one_of_ours() -> None:
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(ConfigurationError, GossipError)


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 129, "\ud800"])
def test_a_node_with_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="name must"):
        World().start(name)


@pytest.mark.parametrize("clock_ms", [-WALL_START_MS - 1, 2**62])
def test_a_generation_that_is_no_time_is_refused(clock_ms: int) -> None:
    with pytest.raises(ConfigurationError, match="generation must"):
        World().start("n0", clock_ms=clock_ms)
