"""The experiments in words, in the order in which they are told."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Wording:
    """What an experiment is, for people who were not there."""

    title: str
    text: str
    names: dict[str, str] = attrs.field(factory=dict)
    """Numbers that have another name in this experiment than elsewhere."""
    first: tuple[str, ...] = ("last_s", "p99_s", "p50_s", "first_s", "missing")
    """Numbers that are told before the others."""


EXPERIMENTS = {
    "join": Wording(
        title="Join",
        text="One node runs; all the others start at once and join through it. The clock runs from the start until"
        " every node sees every other. Sizes are the different numbers of living members that any node saw on the"
        " way: the fewer, the less often a program is told of a cluster that is not there yet.",
        names={
            "last_s": "all see all",
            "p99_s": "99 % of the nodes see all",
            "p50_s": "half of the nodes see all",
            "first_s": "first node sees all",
            "missing": "nodes that did not see all",
        },
    ),
    "update": Wording(
        title="Update",
        text="In a calm cluster one node changes its metadata. The clock runs until each of the others sees the new"
        " value.",
    ),
    "crash": Wording(
        title="Crash",
        text="In a calm cluster one node ends without a word. The clock runs until each of the others holds it for"
        " dead. With loss, that share of all packets vanishes, those of streams included; with the machine gone, no"
        " system says any more that nobody listens there (ICMP, TCP resets); of five at once, all have to be held for"
        " dead. False deaths are views of a node that lives as dead.",
        names={"false_deaths": "false deaths"},
    ),
    "leave": Wording(
        title="Leave",
        text="One node says farewell and ends. The clock runs until each of the others sees that it is gone.",
    ),
    "restart": Wording(
        title="Restart",
        text="A node ends without a word and is started again at once, under the same name and address. The clock runs"
        " until each of the others sees the new one and not the old.",
    ),
    "heal": Wording(
        title="Healing after a split",
        text="The network is cut in two for 60 s, so that each side holds the other for dead, and is then whole again."
        " The clock runs from there until every node sees every other.",
        names={"last_s": "all see all again"},
    ),
    "slow": Wording(
        title="Processes that stand still",
        text="One process in eight is stopped (SIGSTOP) for the given time, together with the others, and then goes on."
        " False deaths are views of one of the rest as dead; that the stopped are held for dead is told apart.",
        first=("false_deaths", "suspicions"),
    ),
    "lossy": Wording(
        title="A lossy network",
        text="That share of all datagrams vanishes for some minutes, while nothing happens to any node. Every death is"
        " a false one.",
        first=("false_deaths", "minutes"),
    ),
    "idle": Wording(
        title="Idling",
        text="Nothing happens: what it costs to be a member. Bytes are UDP payload; what goes over streams (TCP) is"
        " told apart. Memory is what the processes hold, divided by the nodes in them.",
        names={"memory_kib_with_process": "memory, KiB per node, with what a process needs without any"},
        first=("datagrams_per_node_s", "bytes_per_node_s"),
    ),
    "limits": Wording(
        title="What is possible at best",
        text="Simulated clusters, beside limits that no protocol of this kind can beat. A ratio is what was measured,"
        " divided by the limit.",
        first=(),
    ),
    "micro": Wording(
        title="Single operations",
        text="The time of operations that a node does for every message, and what they allocate.",
        first=("median_us", "stdev_us"),
    ),
}


def wording_of(experiment: str) -> Wording:
    """What is said of an experiment, known or not."""
    return EXPERIMENTS.get(experiment) or Wording(title=experiment.replace("_", " ").capitalize(), text="")


def in_order(experiments: tuple[str, ...]) -> tuple[str, ...]:
    """Experiments in the order in which they are told, unknown ones last."""
    places = {name: place for place, name in enumerate(EXPERIMENTS)}
    return tuple(sorted(experiments, key=lambda name: places.get(name, len(places))))
