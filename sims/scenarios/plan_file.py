"""Plan files: a Python file that defines ``plan``, for every command that takes the name of a scenario.

``plan`` is a :class:`Plan`, or a function that makes one from a :class:`Setting`. The function's other parameters have
defaults, and ``--set`` changes them like those of a scenario. Options change what either says. Only the number of nodes
of an object cannot be changed.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from gossip.core.errors import ConfigurationError

from ..names import INSTALLED_AS, answer_to_both_names
from ..plan import Plan
from ..world import Latency, LinkChange
from .registry import Scenario, Setting, parameters_of

ENDING = ".py"
"""The ending that tells a file from the name of a scenario."""

NODES = 16
"""Nodes for a function that uses the number of nodes, unless somebody asks for another number."""

EXAMPLE = f"from {INSTALLED_AS}.plan import Plan; plan = Plan(nodes=16)"

KEPT_FILES = 8
"""Loaded files that are kept, because a sweep asks for the same one again and again."""


def is_plan_file(text: str) -> bool:
    """Whether a text names a file rather than a scenario."""
    return text.endswith(ENDING)


@attrs.frozen(kw_only=True)
class PlanFile:
    """A file that defines a plan."""

    path: Path
    scenario: Scenario
    """What it defines, as a scenario with the name of the file."""

    def plan(self, *, seed: int = 0, nodes: int | None = None, loss: float = 0.0, latency: Latency | None = None,
             profile: str | None = None, duration_s: float | None = None,
             changes: Mapping[str, str] | None = None) -> Plan:  # fmt: skip
        """The plan of one run, with steps that name single nodes. The parameters are those of :meth:`Scenario.plan`.

        :raises ConfigurationError: if something is not valid; the text says what, and where in the file.
        """
        setting, mine = self.scenario.setting(
            seed=seed, nodes=nodes, loss=loss, latency=latency, profile=profile, duration_s=duration_s, changes=changes
        )
        with _told_where(self.path):
            plan = self.scenario.build(setting, **mine)
            plan = attrs.evolve(plan, **_changes(plan, setting, is_profile_asked=profile is not None))
            _ = plan.config
            plan = plan.resolved(strict=True)
        if nodes is not None and plan.nodes != nodes:
            raise ConfigurationError(
                f"{self.path} sets the number of nodes itself, to {plan.nodes}; omit --nodes, or define a function "
                "plan(setting) that uses setting.nodes"
            )
        return plan


def _changes(plan: Plan, setting: Setting, *, is_profile_asked: bool) -> dict[str, Any]:
    """The fields of a plan that options change."""
    link = LinkChange(loss=setting.loss or None, latency=setting.latency).applied_to(plan.link)
    changes: dict[str, Any] = {
        "scenario": plan.scenario or setting.scenario,
        "seed": setting.seed,
        "link": link,
        "settings": {**plan.settings, **setting.settings},
    }
    if is_profile_asked:
        changes["profile"] = setting.profile
    if setting.duration_s is not None:
        changes["duration_s"] = setting.duration_s
    return changes


def load(path: Path) -> PlanFile:
    """Load the plan that a file defines.

    :raises ConfigurationError: if the file cannot be read, raises an error, or defines no plan. The text says what and
        where.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    return _loaded(path, source)


@lru_cache(maxsize=KEPT_FILES)
def _loaded(path: Path, source: bytes) -> PlanFile:
    module = ModuleType(f"plan file {path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # pickle and attrs look up its classes by the module's name
    with _told_where(path):
        exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))
    if not hasattr(module, "plan"):
        raise ConfigurationError(
            f"{path} defines no plan: it must have an object or a function named plan, as in: {EXAMPLE}"
        )
    build = _builder(path, module.plan)
    summary = (inspect.getdoc(module) or "").partition("\n")[0] if module.__doc__ else ""
    return PlanFile(
        path=path,
        scenario=Scenario(
            name=path.stem, summary=summary, nodes=NODES, build=build,
            parameters=parameters_of(module.plan) if inspect.isroutine(module.plan) else (),
        ),
    )  # fmt: skip


def _builder(path: Path, found: Any) -> Callable[..., Plan]:
    """A function that makes the plan from a setting and parameters."""
    if not inspect.isroutine(found):
        the_plan = _checked(path, "plan", found)
        return lambda _setting: the_plan
    with _told_where(path):
        _check_signature(found)
    return lambda setting, **parameters: _checked(path, "what plan() returns", found(setting, **parameters))


def _check_signature(function: Callable[..., Any]) -> None:
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].default is not inspect.Parameter.empty:
        raise ConfigurationError("plan() must take the setting as its first parameter, as in: def plan(setting): ...")
    for each in parameters[1:]:
        if not isinstance(each.default, int | float | str):
            raise ConfigurationError(
                f"the parameter {each.name} of plan() must have a number, a text or a bool as its default, so that "
                "--set can change it"
            )


def _checked(path: Path, what: str, found: Any) -> Plan:
    if isinstance(found, Plan):
        return found
    kind = type(found)
    hint = f"; import it from {INSTALLED_AS}" if kind.__name__ == Plan.__name__ else ""
    what_it_is = "None; does it lack a return?" if found is None else f"of type {kind.__module__}.{kind.__qualname__}"
    raise ConfigurationError(f"{path}: {what} must be a Plan, and is {what_it_is}{hint}")


@contextmanager
def _told_where(path: Path) -> Iterator[None]:
    """Run code of the file as if it had been started in its folder. An error gets the line in the file where it
    happened."""
    answer_to_both_names()
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    except (Exception, SystemExit) as error:  # the file's own code may raise anything
        if isinstance(error, ConfigurationError) and str(error).startswith(f"{path}"):
            raise
        raise ConfigurationError(f"{path}{_line(path, error)}: {_complaint(error)}") from error
    finally:
        sys.path.remove(folder)


def _line(path: Path, error: BaseException) -> str:
    """The line of the file that raised the error, if one did."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _complaint(error: BaseException) -> str:
    if isinstance(error, ConfigurationError):
        return str(error)
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    hint = ""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "sims":
        hint = f"; the simulator is imported from {INSTALLED_AS}"
    return f"{type(error).__name__}: {text}{hint}"
