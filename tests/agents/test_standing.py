"""What an agent writes of itself, and that it remembers no more names than there are members."""

from __future__ import annotations

import json
from pathlib import Path

from gossip import Address, EventKind, Member, MembershipEvent, NodeStanding, Standing, Status
from gossip.cli.agent.told import Told
from gossip.cli.demo.cluster import NEWS_LIMIT_S
from gossip.cli.demo.journal import Journal, Sighting
from gossip.cli.rendering import event_text
from gossip.json_forms import event_json_line
from tests.agents.helpers import cluster_of

ADDRESS = Address("127.0.0.1", 7946)
ISOLATED = NodeStanding(Standing.ISOLATED, 3.0, "nobody was heard for 5.0 s", True)


def event(
    kind: EventKind, name: str, status: Status = Status.ALIVE, own: NodeStanding | None = None
) -> MembershipEvent:
    """Something that happened to a member."""
    member = Member(name, 1, hash(name) or 1, ADDRESS, {}, 1, status)
    return MembershipEvent(kind, member, 4, 3.0, standing=own)


def test_the_standing_of_an_agent_is_a_line_for_people_and_for_programs() -> None:
    about = event(EventKind.STANDING, "ada", own=ISOLATED)
    line = event_text(about, 0.0)
    assert line.endswith("  standing   ada (127.0.0.1:7946; isolated: nobody was heard for 5.0 s), 4 alive")
    shown = json.loads(event_json_line(about, 0.0))
    assert (shown["event"], shown["standing"], shown["why"]) == ("standing", "isolated", ISOLATED.why)


async def test_agents_say_how_they_stand_when_they_start_and_when_they_have_joined(tmp_path: Path) -> None:
    async with cluster_of(2, tmp_path) as cluster:
        told = cluster.journal
        await cluster.until(
            lambda: any(s.observer == "a2" and s.event["standing"] == "connected" for s in told.after(0, "standing")),
            NEWS_LIMIT_S,
            lambda: "a2 did not say that it is connected",
        )
        first = {s.observer: s.event["standing"] for s in told.after(0, "started")}
        assert first == {"a1": "connected", "a2": "joining"}
        assert [s.observer for s in told.after(0, "standing")] == ["a2"]


def test_an_agent_remembers_no_name_that_is_forgotten() -> None:
    told = Told()
    for number in range(1000):
        told.event(event(EventKind.JOINED, f"pod-{number}"))
        told.event(event(EventKind.DIED, f"pod-{number}", Status.DEAD))
        told.event(event(EventKind.FORGOTTEN, f"pod-{number}", Status.DEAD))
    told.event(event(EventKind.JOINED, "brook"))
    assert list(told.members) == ["brook"]


def test_who_lost_its_name_is_not_told_in_place_of_the_bearer() -> None:
    told = Told()
    told.event(event(EventKind.JOINED, "ada"))
    told.event(event(EventKind.STANDING, "ada", Status.DISPLACED, ISOLATED))
    assert told.members["ada"].status is Status.ALIVE
    assert told.standing == ISOLATED


def test_what_agents_wrote_of_the_forgotten_and_of_themselves_is_no_belief() -> None:
    journal = Journal()
    said = {"event": "joined", "name": "brook", "status": "alive", "time": 1.0}
    journal.record(Sighting("ada", 1, {"event": "started", "name": "ada", "time": 0.0}))
    journal.record(Sighting("ada", 1, said))
    journal.record(Sighting("ada", 1, {"event": "standing", "name": "ada", "status": "displaced", "time": 1.0}))
    assert journal.belief("ada", "brook") == "alive"
    assert journal.belief("ada", "ada") is None
    journal.record(Sighting("ada", 1, said | {"event": "forgotten", "status": "dead"}))
    assert journal.belief("ada", "brook") is None
