"""What theory allows: how soon news can reach every member, and how soon a member that has died can be asked.

Nothing here runs the protocol. There are formulas, and simulations of the plain protocols that papers describe, in
which everything happens in rounds and nothing is lost.

Hops are counted from the member that the news is about, which needs none. Intervals are probe intervals of a node.

Sources: Pittel, "On Spreading a Rumor" (SIAM Journal on Applied Mathematics 47, 1987) for push; Karp, Schindelhauer,
Shenker and Vöcking, "Randomized Rumor Spreading" (FOCS 2000) for push-pull; Das, Gupta and Motivala, "SWIM" (DSN 2002),
section 3, for probing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from random import Random

STANDARD_ERROR = 0.01
"""A simulated mean is precise enough when its standard error is below this share of it."""

LEAST_DRAWS = 50
"""Draws before the standard error is checked: it would be zero for a few equal draws."""

MOST_DRAWS = 10_000

ALTERNATING_MEAN_INTERVALS = 2 / math.e
"""Mean time until a node asks the dead one in a large cluster, if each node asks its successor on the ring and a random
member in turn. It is the mean of the smaller of two times: one even over two intervals (the predecessor's turn) and an
exponential one of mean two (all others)."""

REGULAR_MEAN_INTERVALS = 0.5
"""The same if every member were asked exactly once an interval, at regular times. No order of as many questions has a
lower mean, since a crash falls into a long gap more often than into a short one."""


# --- how far news can have come


def push_limit_hops(nodes: int, fan_out: int) -> float:
    """Hops below which no news can reach all nodes, if each node that knows tells at most ``fan_out`` others at each
    hop.

    The number of nodes that know grows at most by a factor of 1 + ``fan_out`` at each hop. That assumes that no node is
    told twice, so no random protocol reaches it. The limit is no whole number, while hops are.
    """
    return math.log(nodes) / math.log(1 + fan_out)


def push_limit_whole_hops(nodes: int, fan_out: int) -> int:
    """The least whole number of hops that is not below :func:`push_limit_hops`."""
    return _hops_until(lambda hops: (1 + fan_out) ** hops >= nodes)


def push_once_limit_whole_hops(nodes: int, fan_out: int) -> int:
    """The same if each node tells others only once, right after it was told: the depth of a tree in which no node is
    told twice. That is the limit of a protocol whose nodes push once, as here."""
    return _hops_until(lambda hops: sum(fan_out**hop for hop in range(hops + 1)) >= nodes)


def push_pull_formula_rounds(nodes: int) -> float:
    """Rounds of push-pull until all nodes know, after Karp et al., up to a constant: each round triples the number of
    nodes that know, and later squares the share of those that do not."""
    return math.log(nodes, 3) + math.log2(math.log(nodes))


def _hops_until(is_enough: Callable[[int], bool]) -> int:
    hops = 0
    while not is_enough(hops):
        hops += 1
    return hops


# --- plain protocols, simulated


def push_pull_rounds(nodes: int, random: Random, contacts: int = 1) -> int:
    """One draw of the rounds until all nodes know. In each round every node contacts ``contacts`` random others; of two
    nodes in contact both know if one did when the round began.

    Nodes differ only in what they know, so only numbers are kept: in each round anew, the nodes that do not know are
    called 0, 1, and so on.
    """
    others = nodes - 1
    contacts = min(contacts, others)
    unaware, rounds = others, 0
    while unaware:
        rounds += 1
        told = {each for _ in range(nodes - unaware) for each in _some_below(others, contacts, random)}
        told = {each for each in told if each < unaware}
        in_vain = math.prod((unaware - 1 - number) / (others - number) for number in range(contacts))
        asked = sum(random.random() >= in_vain for _ in range(unaware - len(told)))
        unaware -= len(told) + asked
    return rounds


def push_once(nodes: int, fan_out: int, random: Random) -> tuple[int, int]:
    """One draw of plain push: each node tells ``fan_out`` random others once, at the hop after it was told.

    :returns: the hops after which no node is told any more, and how many nodes never were.
    """
    knows = bytearray(nodes)
    knows[0] = True
    fresh, hops = [0], 0
    while True:
        told = []
        for teller in fresh:
            for target in _targets(teller, nodes, fan_out, random):
                if not knows[target]:
                    knows[target] = True
                    told.append(target)
        if not told:
            return hops, nodes - sum(knows)
        fresh, hops = told, hops + 1


def _targets(teller: int, nodes: int, fan_out: int, random: Random) -> Sequence[int]:
    if fan_out >= nodes - 1:
        return range(nodes)
    chosen: list[int] = []
    while len(chosen) < fan_out:
        each = int(random.random() * nodes)
        if each != teller and each not in chosen:
            chosen.append(each)
    return chosen


def _some_below(limit: int, count: int, random: Random) -> Sequence[int]:
    """Different random numbers. For one, this is much faster than :meth:`Random.sample`."""
    return (int(random.random() * limit),) if count == 1 else random.sample(range(limit), count)


def mean_of(draw: Callable[[], float]) -> float:
    """The mean of as many draws as bring its standard error below :data:`STANDARD_ERROR` of it."""
    drawn = [draw() for _ in range(LEAST_DRAWS)]
    while len(drawn) < MOST_DRAWS and _standard_error(drawn) > STANDARD_ERROR * abs(statistics.fmean(drawn)):
        drawn += [draw() for _ in drawn]
    return statistics.fmean(drawn)


def _standard_error(drawn: Sequence[float]) -> float:
    return statistics.stdev(drawn) / math.sqrt(len(drawn))


# --- when somebody asks the dead, if all ask at random
#
# Each of n = nodes - 1 survivors asks once an interval, at a phase of its own, and each time the dead with the chance
# p = 1 / n. After m intervals and a part f of one, a survivor has had m turns, and with the chance f one more, so that
# nobody has asked the dead with the chance ((1 - p)^m (1 - p f))^n.


def random_probing_mean_intervals(nodes: int) -> float:
    """Mean time from a crash, at any moment, to the first question: the integral of the chance above. It goes to 1.

    Measured times are compared with this. SWIM's figure counts whole intervals instead; see
    :func:`random_probing_whole_intervals`.
    """
    spared = 1 - 1 / (nodes - 1)
    return (1 - math.pow(spared, nodes)) / (1 - math.pow(spared, nodes - 1)) * (nodes - 1) / nodes


def random_probing_whole_intervals(nodes: int) -> float:
    """The mean of the same time rounded up to whole intervals, which goes to 1 / (1 - 1 / e) = 1.58.

    This is SWIM's figure: all nodes ask at the same moments, and the interval in which the dead node is asked counts in
    full.
    """
    return 1 / (1 - math.pow(1 - 1 / (nodes - 1), nodes - 1))


def random_probing_quantile_intervals(nodes: int, share: float) -> float:
    """The time within which this share of dead nodes has been asked: 4.6 intervals for 99 %."""
    chance, survivors = 1 / (nodes - 1), nodes - 1
    if chance == 1:
        return share
    left = math.pow(1 - share, 1 / survivors)
    whole = math.floor(math.log(left) / math.log(1 - chance))
    return whole + (1 - left / math.pow(1 - chance, whole)) / chance
