"""The steps of the demonstration: each does something to the agents and waits until all have noticed.

A step measures the time from its action until the other agents know, by the times in their own events. If they do not
know in time, the step fails and says what is missing.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

import attrs
import trio

from gossip.cli.demo.cluster import NEWS_LIMIT_S, START_LIMIT_S, Cluster, StepFailed
from gossip.cli.demo.journal import Journal, Sighting
from gossip.cli.demo.processes import AgentProcess

SHORT_FREEZE_S = {"local": 0.5, "lan": 1.5, "wan": 4.0}
"""Length of a freeze that the profile forgives: shorter than the shortest time to refute a suspicion."""

EXIT_LIMIT_S = 3.0
"""Seconds that an agent may take to leave."""


@attrs.frozen
class Measurement:
    """How long a step took until the others knew."""

    step: str
    what: str
    """What the step waited for, for the closing table."""
    times: tuple[tuple[str, float], ...] = ()
    """Name and seconds of each agent that noticed, the first one first."""


def _measure(step: str, what: str, times: dict[str, float], begin: float) -> Measurement:
    # Two processes read the clock at slightly different moments, so a difference may be negative.
    elapsed = ((name, max(0.0, moment - begin)) for name, moment in times.items())
    return Measurement(step, what, tuple(sorted(elapsed, key=lambda pair: pair[1])))


async def join(cluster: Cluster) -> list[Measurement]:
    """Start all agents; the first is the seed of the others."""
    first, *others = cluster.names
    cluster.say(f"starting {len(cluster.names)} agents, each a process of its own")
    seed = await cluster.start(first, "127.0.0.1:0", ())
    await _started(cluster, [seed])
    rest = [await cluster.start(name, "127.0.0.1:0", [seed.address]) for name in others]
    await _started(cluster, rest)
    running = ", ".join(f"{name} {cluster.current[name].process.pid}" for name in cluster.names)
    cluster.say(f"they run as these processes: {running}")
    began = max(sighting.time for sighting in cluster.journal.after(0, "started"))
    await cluster.agreed(NEWS_LIMIT_S)
    times = {}
    for name in cluster.names:
        seen = {s.subject: s.time for s in cluster.journal.after(0, "joined") if s.observer == name}
        times[name] = max(seen[other] for other in cluster.names if other != name)
    measured = _measure("join", f"all {len(cluster.names)} see each other, after the last one is up", times, began)
    cluster.say(f"every agent sees all {len(cluster.names)}")
    return [measured]


async def _started(cluster: Cluster, agents: Sequence[AgentProcess]) -> None:
    def missing() -> list[str]:
        return [agent.name for agent in agents if not agent.address]

    await cluster.until(lambda: not missing(), START_LIMIT_S, lambda: f"{', '.join(missing())} did not start")


async def update(cluster: Cluster, name: str) -> list[Measurement]:
    """Change the metadata of one member."""
    cluster.say(f"telling {name} that its metadata is now release=2 (its --meta-file, and SIGHUP)")
    cluster.write_metadata(name, "release=2\n")
    since, began = len(cluster.journal.sightings), time.time()
    cluster.current[name].send(signal.SIGHUP)
    times = await cluster.noticed(
        cluster.running(without=name),
        lambda s: s.kind == "updated" and s.subject == name and s.event["metadata"] == {"release": "2"},
        since,
        NEWS_LIMIT_S,
        f"{name} has new metadata",
    )
    return _report(cluster, _measure("update", f"the others know {name}'s new metadata", times, began))


async def crash(cluster: Cluster, name: str) -> list[Measurement]:
    """Kill one member with SIGKILL."""
    cluster.say(f"killing {name} (SIGKILL), so it cannot say farewell")
    since, began = len(cluster.journal.sightings), time.time()
    cluster.ended.add(name)
    cluster.current[name].send(signal.SIGKILL)
    times = await _noticed_death(cluster, name, since)
    return _report(cluster, _measure("crash", f"the others know that {name} is dead", times, began))


async def _noticed_death(cluster: Cluster, name: str, since: int) -> dict[str, float]:
    observers = cluster.running(without=name)
    limit_s = cluster.detection_limit_s
    times = await cluster.noticed(observers, lambda s: _is("died", name, s), since, limit_s, f"{name} is dead")
    accusers = {accuser for s in cluster.journal.after(since, "died") for accuser in s.event["accusers"]}
    cluster.say(f"{name} was accused by {', '.join(sorted(accusers)) or 'nobody known'}")
    return times


async def restart(cluster: Cluster, name: str) -> list[Measurement]:
    """Start the killed member again: same name, same port, a new generation."""
    old = cluster.current[name]
    cluster.say(f"starting {name} again at {old.address}")
    since = len(cluster.journal.sightings)
    seeds = [cluster.current[peer].address for peer in cluster.running(without=name)]
    new = await cluster.start(name, old.address, seeds)
    await _started(cluster, [new])
    cluster.say(f"it runs as process {name} {new.process.pid}")
    started = next(s for s in cluster.journal.after(since, "started") if s.observer == name)
    times = await cluster.noticed(
        cluster.running(without=name),
        lambda s: _is("joined", name, s) and s.event["generation"] == started.event["generation"],
        since,
        NEWS_LIMIT_S,
        f"{name} is back",
    )
    await cluster.agreed(NEWS_LIMIT_S)
    return _report(cluster, _measure("restart", f"the others see {name} again, after it is up", times, started.time))


async def short_freeze(cluster: Cluster, name: str) -> list[Measurement]:
    """Stop one member for a time that the profile forgives."""
    freeze_s = SHORT_FREEZE_S[cluster.profile]
    cluster.say(f"freezing {name} for {freeze_s:g} s (SIGSTOP), too short for a death")
    since = len(cluster.journal.sightings)
    cluster.current[name].send(signal.SIGSTOP)
    await trio.sleep(freeze_s)
    awake, woken = len(cluster.journal.sightings), time.time()
    cluster.current[name].send(signal.SIGCONT)
    await trio.sleep(cluster.quiet_s)
    await cluster.agreed(NEWS_LIMIT_S)
    if died := cluster.journal.after(since, "died"):
        raise StepFailed(f"{died[0].observer} declared {died[0].subject} dead, though it was frozen for {freeze_s:g} s")
    suspicious = {s.observer for s in cluster.journal.after(since, "suspected") if s.subject == name}
    cluster.say(f"{len(suspicious)} of {len(cluster.running()) - 1} suspected {name}; nobody declared it dead")
    times = cluster.journal.first_times(suspicious, lambda s: _is("restored", name, s), awake)
    outcome = "no longer suspected, after it woke" if suspicious else "nobody even suspected it"
    what = f"{name}, frozen for {freeze_s:g} s: {outcome}"
    return _report(cluster, _measure("freeze", what, times, woken))


async def long_freeze(cluster: Cluster, name: str) -> list[Measurement]:
    """Stop one member until all others declared it dead, then let it come back."""
    cluster.say(f"freezing {name} (SIGSTOP) until the others declare it dead")
    since, began = len(cluster.journal.sightings), time.time()
    cluster.current[name].send(signal.SIGSTOP)
    dead = await _noticed_death(cluster, name, since)
    frozen = _report(
        cluster, _measure("long freeze", f"the others declared {name} dead while it was frozen", dead, began)
    )
    cluster.say(f"waking {name} (SIGCONT)")
    awake, woken = len(cluster.journal.sightings), time.time()
    cluster.current[name].send(signal.SIGCONT)
    back = await cluster.noticed(
        cluster.running(without=name), lambda s: _is("restored", name, s), awake, NEWS_LIMIT_S, f"{name} is back"
    )
    await cluster.agreed(NEWS_LIMIT_S)
    if accused := accused_by(cluster.journal, name, awake):
        raise StepFailed(f"after waking, {name} accused {', '.join(accused)}, who did nothing wrong")
    cluster.say(f"{name} is back and accused nobody")
    recovered = _report(cluster, _measure("recover", f"the others see {name} alive, after it woke", back, woken))
    return [*frozen, *recovered]


def accused_by(journal: Journal, accuser: str, since: int) -> list[str]:
    """The members that ``accuser`` suspected before anybody else did, and those whose death names it as an accuser."""
    accused: dict[str, None] = {}
    first: dict[str, Sighting] = {}
    for sighting in journal.after(since, "suspected", "died"):
        if sighting.kind == "died" and accuser in sighting.event["accusers"]:
            accused[sighting.subject] = None
        known = first.setdefault(sighting.subject, sighting)
        if sighting.time < known.time:
            first[sighting.subject] = sighting
    accused.update((subject, None) for subject, sighting in first.items() if sighting.observer == accuser)
    return list(accused)


async def leave(cluster: Cluster, name: str) -> list[Measurement]:
    """Let one member say farewell."""
    cluster.say(f"asking {name} to leave (SIGTERM)")
    since, began = len(cluster.journal.sightings), time.time()
    cluster.ended.add(name)
    agent = cluster.current[name]
    agent.send(signal.SIGTERM)
    observers = cluster.running(without=name)
    times = await cluster.noticed(observers, lambda s: _is("left", name, s), since, NEWS_LIMIT_S, f"{name} left")
    await cluster.until(
        lambda: agent.returncode is not None, EXIT_LIMIT_S, lambda: f"{name} said farewell but did not exit"
    )
    if agent.returncode:
        raise StepFailed(f"{name} left, but exited with {agent.returncode}: {agent.complaint}")
    return _report(cluster, _measure("leave", f"the others know that {name} left", times, began))


def _is(kind: str, subject: str, sighting: Sighting) -> bool:
    return sighting.kind == kind and sighting.subject == subject


def _report(cluster: Cluster, measured: Measurement) -> list[Measurement]:
    if measured.times:
        cluster.say("noticed by " + ", ".join(f"{name} after {duration(seconds)}" for name, seconds in measured.times))
    return [measured]


def duration(seconds: float) -> str:
    """A time that people can read at a glance."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
