"""Questions: those whose answers can come are open, and none without bound."""

from __future__ import annotations

import random

import pytest

from gossip.core.dissemination.questions import MOST, Purpose, Question, Questions
from gossip.core.wire.messages import Ping, PingRequest
from tests.core.worlds import cluster, tap, understood


@pytest.mark.parametrize("purpose", MOST)
def test_of_too_many_questions_for_one_purpose_the_oldest_are_closed(purpose: Purpose) -> None:
    questions = Questions(random.Random(1))
    tokens = [questions.ask(Question(purpose, float(asked_at))) for asked_at in range(MOST[purpose] + 5)]
    assert questions.count(purpose) == MOST[purpose]
    assert [questions.get(token) is not None for token in tokens] == [False] * 5 + [True] * MOST[purpose]


def test_a_closed_question_makes_room_for_another() -> None:
    questions = Questions(random.Random(1))
    first, second = (questions.ask(Question(Purpose.INVITATION, 0.0)) for _ in range(2))
    questions.close(second)
    questions.close(first)
    assert questions.count(Purpose.INVITATION) == 0


def test_an_ended_probe_leaves_no_question_open() -> None:
    sim = cluster(4, tapped=True)
    sim.crash("n3")
    sim.run(30)
    node = sim.nodes["n0"]
    bodies = [message.body for message in understood(sim, tap(sim)) if isinstance(message.body, Ping | PingRequest)]
    sim.run(5)
    questions = [node.protocol.parts.questions.get(body.token) for body in bodies]
    assert len(bodies) > 100
    assert [each for each in questions if each is not None and each.purpose is Purpose.PROBE] == []
