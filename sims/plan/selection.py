"""Selection: which nodes the words in the steps of a plan stand for.

``rack-a`` stands for all nodes of that group, ``2 of rack-a`` for two of them drawn from the seed, ``1 of all`` for any
one node. A step that happens to one node becomes as many steps as there are nodes. A draw follows from the seed and its
step alone, so leaving out another step changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from gossip.core.errors import ConfigurationError

from ..steps import AnyStep, Start, Step
from ..words import nearest, offered
from ..world import derived_random
from .groups import ALL, choice

MANY = ("sources", "destinations", "told", "seeds")
"""Fields of steps that name any number of nodes."""


class Selection:
    """Resolves the words in one plan to nodes."""

    def __init__(self, seed: int, keys: Sequence[str], groups: Mapping[str, Sequence[str]], *, seeds: Sequence[str],
                 steps: Iterable[AnyStep], strict: bool) -> None:  # fmt: skip
        """Take the nodes of a plan.

        :param keys: keys of the nodes that start at the beginning.
        :param seeds: seeds of the nodes that start later and have no others.
        :param steps: all steps of the plan; some of them start more nodes.
        :param strict: whether a name that no node has is refused; otherwise it stays as it is.
        """
        self._seed = seed
        self._groups: dict[str, Sequence[str]] = {**groups, ALL: keys}
        self._keys = {*keys, *(step.node for step in steps if isinstance(step, Start))}
        self._place = {key: number for number, key in enumerate(keys)}
        self._seeds = tuple(seeds)
        self._strict = strict
        self._met: Counter[str] = Counter()

    def resolve(self, steps: Iterable[AnyStep]) -> tuple[AnyStep, ...]:
        """Resolve the words in some steps.

        :raises ConfigurationError: if a word stands for nothing; the text names the step.
        """
        return tuple(each for step in steps for each in self._resolved(step))

    def _resolved(self, step: AnyStep) -> Iterator[AnyStep]:
        changes: dict[str, Any] = {}
        for name in MANY:
            words = getattr(step, name, ())
            found = tuple(key for word in words for key in self._nodes(step, name, word))
            if found != words:
                changes[name] = tuple(dict.fromkeys(found))
        if isinstance(step, Start):
            if step.name is not None:
                changes["name"] = self._only(step, "name", step.name)
            yield attrs.evolve(step, **changes)
            return
        word = getattr(step, "node", None)
        if word is None:
            yield attrs.evolve(step, **changes) if changes else step
            return
        for key in self._nodes(step, "node", word):
            here: dict[str, Any] = {**changes, "node": key}
            yield attrs.evolve(step, **here) if changes or key != word else step

    def _nodes(self, step: Step, field: str, word: Any) -> Sequence[str]:
        if not isinstance(word, str):
            raise _wrong(step, f"{field} must be the name of a node or of a group, not {word!r}")
        if word in self._keys:
            return (word,)
        if word in self._groups:
            return self._groups[word]
        chosen = choice(word)
        if chosen is not None and chosen[1] in self._groups:
            return self._drawn(step, word, *chosen)
        if field == "seeds" and word in _default_seeds(step) and self._strict:
            return self._seeds
        if not self._strict and chosen is None:
            return (word,)
        raise _wrong(step, f"{field} is {word!r}, and {self._unknown(word)}")

    def _only(self, step: Step, field: str, word: str) -> str:
        found = self._nodes(step, field, word)
        if len(found) != 1:
            raise _wrong(step, f"{field} is {word!r}, which stands for {len(found)} nodes; it must be one")
        return found[0]

    def _drawn(self, step: Step, word: str, count: int, group: str) -> Sequence[str]:
        members = self._groups[group]
        if not 1 <= count <= len(members):
            raise _wrong(step, f"{word!r} cannot be drawn: {group} has {len(members)} nodes")
        what = f"{type(step).__name__} at {step.at}: {word}"
        self._met[what] += 1
        drawn = derived_random(self._seed, "choice", what, self._met[what]).sample(list(members), count)
        return sorted(drawn, key=self._place.__getitem__)

    def _unknown(self, word: str) -> str:
        names = [*self._groups, *sorted(self._keys - set(self._groups))]
        return f"there is no such node or group{nearest(word, names)}; there are {offered(names)}"


def _default_seeds(step: Step) -> tuple[str, ...]:
    """The default seeds of a step that starts a node: nodes that belong to no group."""
    default: Any = attrs.fields_dict(type(step))["seeds"].default
    return default if isinstance(default, tuple) else ()


def _wrong(step: Step, text: str) -> ConfigurationError:
    return ConfigurationError(f"{type(step).__name__} at {step.at:g} s: {text}")
