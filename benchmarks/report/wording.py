"""The experiments in words, in the order in which the pages tell of them."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Wording:
    """What an experiment is, for people who did not run it."""

    title: str
    summary: str = ""
    """What is done, in one sentence."""
    text: str = ""
    """How it is measured, and what its numbers mean."""
    names: dict[str, str] = attrs.field(factory=dict)
    """Numbers that have another name in this experiment than elsewhere."""
    first: tuple[str, ...] = ("last_s", "p99_s", "p50_s", "first_s", "missing")
    """Numbers that are told before the others."""


LIMITS = {
    "repeats": "repetitions",
    "missing_nodes": "nodes that did not learn of it",
    "mean_hops": "hops to the last node, mean",
    "worst_hops": "hops to the last node, worst",
    "mean_rounds": "delays to the last node, mean",
    "worst_rounds": "delays to the last node, worst",
    "hops_to_limit_ratio": "mean hops / limit",
    "hops_to_whole_limit_ratio": "mean hops / limit in whole hops",
    "worst_hops_to_whole_limit_ratio": "worst hops / limit in whole hops",
    "hops_to_push_once_ratio": "mean hops / plain push",
    "rounds_to_push_pull_ratio": "mean delays / push-pull, simulated",
    "rounds_to_push_pull_formula_ratio": "mean delays / push-pull, formula",
    "rounds_to_push_pull_same_fan_out_ratio": "mean delays / push-pull with as many contacts",
    "fan_out": "members that a node pushes to",
    "limit_hops": "limit: hops",
    "limit_whole_hops": "limit: whole hops",
    "limit_once_whole_hops": "limit: whole hops if each node pushes once",
    "push_once_mean_hops": "plain push: mean hops",
    "push_once_missed_share": "plain push: share of nodes missed",
    "push_pull_formula_rounds": "push-pull, formula: rounds",
    "push_pull_mean_rounds": "push-pull, simulated: mean rounds",
    "push_pull_same_fan_out_mean_rounds": "push-pull with as many contacts: mean rounds",
    "asked_mean_intervals": "intervals to the first ping, mean",
    "asked_p99_intervals": "intervals to the first ping, 99 %",
    "asked_mean_whole_intervals": "whole intervals to the first ping, mean",
    "asked_to_random_ratio": "mean to the first ping / random probing",
    "asked_p99_to_random_ratio": "99 % to the first ping / random probing",
    "asked_whole_to_random_ratio": "mean in whole intervals / random probing",
    "last_dead_mean_intervals": "intervals to the last node, mean",
    "last_dead_to_asked_ratio": "mean to the last node / mean to the first ping",
    "last_dead_to_random_ratio": "mean to the last node / random probing",
    "random_mean_intervals": "random probing: mean intervals",
    "random_p99_intervals": "random probing: intervals, 99 %",
    "random_mean_whole_intervals": "random probing: mean whole intervals",
    "alternating_mean_intervals": "ring and random in turn: mean intervals",
    "regular_mean_intervals": "regular probing: mean intervals",
}
"""Names of what is compared with limits. A slash divides what was measured by the limit."""

EXPERIMENTS = {
    "join": Wording(
        title="Join",
        summary="One node runs, and all others start at once and join through it.",
        text="The clock runs from the start until every node sees every other. Sizes are the different numbers of"
        " living members that any node saw on the way: the fewer there are, the less often a program is told of a"
        " cluster that is not complete yet.",
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
        summary="In a calm cluster one node changes its metadata.",
        text="The clock runs until each of the others sees the new value. Datagrams are those beyond what the same"
        " cluster sends while nothing happens; the number is negative where it sent fewer than before.",
    ),
    "crash": Wording(
        title="Crash",
        summary="In a calm cluster one node ends without a farewell.",
        text="The clock runs until each of the others declares it dead. With loss, that share of all packets is lost,"
        ' those of streams included. With "machine gone", no system reports any more that nobody listens at the address'
        " (ICMP, TCP resets). With five crashes at once, the clock runs until all five are declared dead. False deaths"
        " count the views of a living node as dead.",
        names={"false_deaths": "false deaths"},
    ),
    "leave": Wording(
        title="Leave",
        summary="One node says farewell and ends.",
        text="The clock runs until each of the others sees that it is gone.",
    ),
    "restart": Wording(
        title="Restart",
        summary="A node ends without a farewell and starts again at once, under the same name and address.",
        text="The clock runs until each of the others sees the new process and not the old one.",
    ),
    "heal": Wording(
        title="Healing after a split",
        summary="The network is cut in two for 60 s, so that each side declares the other dead, and then healed.",
        text="The clock runs from the end of the cut until every node sees every other.",
        names={"last_s": "all see all again"},
    ),
    "slow": Wording(
        title="Stopped processes",
        summary="One process in eight is stopped (SIGSTOP) for the given time, together with the others, and then"
        " continues.",
        text="False deaths count the views of a node that was not stopped as dead. Deaths of stopped nodes are counted"
        " apart.",
        first=("false_deaths", "suspicions"),
    ),
    "lossy": Wording(
        title="A lossy network",
        summary="The given share of all datagrams is lost for some minutes, while nothing happens to any node.",
        text="Every death is a false one.",
        first=("false_deaths", "minutes"),
    ),
    "idle": Wording(
        title="Idling",
        summary="Nothing happens: what it costs to be a member.",
        text="Bytes are UDP payload; bytes on streams (TCP) are counted apart. Memory is what the processes occupy,"
        " divided by the number of nodes in them.",
        names={"memory_kib_with_process": "memory, KiB per node, with what a process needs without any"},
        first=("datagrams_per_node_s", "bytes_per_node_s"),
    ),
    "limits": Wording(
        title="What is possible at best",
        summary="Simulated clusters, beside limits that no protocol of this kind can beat.",
        text="A slash divides what was measured by the limit. Updates count hops from node to node, and delays of the"
        " network, which are compared with the rounds of push-pull. Crashes count probe intervals until the first ping"
        " to the dead node, and until the last node holds it dead.",
        names=LIMITS,
        first=tuple(LIMITS),
    ),
    "micro": Wording(
        title="Single operations",
        summary="The time of operations that a node does for every message, and the memory they allocate.",
        first=("median_us", "stdev_us"),
    ),
}

SPREADS = {"join": "joins", "update": "updates", "crash": "crashes", "leave": "leaves"}
"""The experiments in which news spreads, as events."""


def wording_of(experiment: str) -> Wording:
    """What is said of an experiment, known or not."""
    return EXPERIMENTS.get(experiment) or Wording(title=experiment.replace("_", " ").capitalize())


def in_order(experiments: tuple[str, ...]) -> tuple[str, ...]:
    """Experiments in the order in which the pages tell of them, unknown ones last."""
    places = {name: place for place, name in enumerate(EXPERIMENTS)}
    return tuple(sorted(experiments, key=lambda name: places.get(name, len(places))))
