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
    summed: tuple[str, ...] = ()
    """Numbers of which all repetitions together are told, and not the median."""


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
    "blocked": Wording(
        title="Blocked programs",
        summary="One of five programs with a node each does not let its own loop run for 5 s.",
        text="It calls time.sleep, computes in pure Python, or makes one call of C code that holds the global"
        " interpreter lock (GIL). All programs are watched for 10 s more. False deaths count how often a program was"
        " told that another one is dead: each block can cause four. A node in the program's own trio loop stops with"
        " the loop. A node in a thread goes on as long as Python gives that thread its turn, and a node in a process of"
        " its own always goes on. kinship runs its protocol in a thread that needs no turn. For comparison, programs"
        " were killed: a system that takes longer than the block to notice that says little about the block.",
        names={
            "false_deaths": "false deaths",
            "declared_dead_s": "first declared dead, after the block began",
            "killed_declared_dead_s": "first declared dead, after it was killed",
            "suspicions": "suspicions",
            "blocked_s": "length of the block",
        },
        first=("false_deaths", "declared_dead_s", "killed_declared_dead_s", "suspicions"),
        summed=("false_deaths", "suspicions"),
    ),
    "latency": Wording(
        title="From the node to the program",
        summary="A program follows the changes of its node, to which another process sends a thousand a second.",
        text='"From the node" begins when the node has read the datagram, and "from the sender" when the other process'
        " makes the change; both end when the program has the event in hand. kinship does not tell when its node reads"
        " a datagram. It spreads new metadata only a few times a second, so it is sent messages instead. Those do not"
        " pass through its membership, while each change of ours does. Of changes that arrive in one batch, ours tells"
        " the last. The time of members() is that of one call in a cluster in which nothing changes.",
        names={
            "from_node_median_s": "from the node: median",
            "from_node_p99_s": "from the node: 99 %",
            "from_node_most_s": "from the node: longest",
            "from_sender_median_s": "from the sender: median",
            "from_sender_p99_s": "from the sender: 99 %",
            "from_sender_most_s": "from the sender: longest",
            "event_rate": "events per second",
            "events_missed": "events missed",
            "members_us": "members(), µs",
        },
        first=(
            "from_node_median_s",
            "from_node_p99_s",
            "from_node_most_s",
            "from_sender_median_s",
            "from_sender_p99_s",
            "from_sender_most_s",
            "members_us",
        ),
    ),
    "embedded": Wording(
        title="A node in a program",
        summary="Five programs of each system run side by side, each with a node and a reader of its changes, and"
        " nothing happens.",
        text="CPU time and memory include the process of a node that has its own. Memory is what the programs occupy"
        " more than before they opened the node, with all modules imported. The time to open a node ends when the"
        " program has the node in hand.",
        names={
            "cpu_to_trio_ratio": "CPU time, divided by that of ours-trio",
            "opened_s": "time to open a node",
        },
        first=("cpu_ms_per_node_s", "cpu_to_trio_ratio", "memory_kib_per_node", "opened_s"),
    ),
    "storm": Wording(
        title="Opened and cancelled",
        summary="A program opens nodes, eight at a time, uses them, and cancels each after a random time of up to"
        " 50 ms (2 s where the node has a process).",
        text="On asyncio the task of a node is cancelled, sometimes twice; with threads another thread closes the node."
        " What is left is what the program holds more at the end than after its first hundred nodes, which are not"
        " counted. The memory that is left with ours is its store of records: all nodes of a process share the records"
        " that they have met, up to 16,384. Nodes in processes of their own are fewer, because each starts Python."
        " Threads are counted after 12 s, because trio and kinship keep an idle thread for 10 s.",
        names={
            "nodes_asked_for": "nodes",
            "nodes_opened": "nodes that were open when they were cancelled",
            "each_ms": "time per node, ms",
        },
        first=(
            "nodes_asked_for",
            "nodes_opened",
            "threads_left",
            "tasks_left",
            "sockets_left",
            "descriptors_left",
            "processes_left",
            "unexpected_errors",
        ),
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
