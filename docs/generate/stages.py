"""The page ``docs/protocol/stages.rst`` and its picture: the stages of a member under scrutiny, as the code has them.

The picture is drawn by Graphviz (``dot``). It holds the graph from which it was drawn, which shows without Graphviz
whether it is current.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence

from gossip.core.detection.stages import PROBING, SUSPICION, TABLE, Action, Happening, Stage

DEAD = "declared dead"
NEW_LINE = "\\n"

HEAD = """\
.. This page is generated. Change gossip/core/detection/stages.py, then run: python -m docs.generate

.. _stages:

Stages of a member under scrutiny
=================================

A member has two stages in the view of each other node, because two things go on independently. *Probing* is
private: the node asks the member, and tells no other node. *Suspicion* is public: somebody has accused the
member, and its counter has to reach the floor. Each row says what follows when something happens in a stage.
What is not in the table cannot happen. The table is ``gossip/core/detection/stages.py``;
:doc:`detection` explains the reasons.

.. image:: stages.svg
   :alt: The stages of probing and of suspicion, with an arrow for each row of the tables below.

"""


def page() -> str:
    """The page as reStructuredText."""
    return HEAD + "\n".join([*_part("Probing", PROBING), "", *_part("Suspicion", SUSPICION)]) + "\n"


def _part(title: str, stages: Sequence[Stage]) -> Iterator[str]:
    yield title
    yield "-" * len(title)
    yield ""
    yield f".. list-table:: Stages of {title.lower()}"
    yield "   :header-rows: 1"
    yield "   :widths: 17 34 17 32"
    yield ""
    yield from _row("Stage", "What happens", "Next stage", "What the node does")
    for (stage, happening), row in TABLE.items():
        if stage in stages:
            yield from _row(
                stage.value, happening.value, row.next.value, "; ".join(each.value for each in row.actions) or "nothing"
            )


def _row(*cells: str) -> Iterator[str]:
    for number, cell in enumerate(cells):
        yield f"   {' ' if number else '*'} - {cell}"


def graph() -> str:
    """The stages as a graph for Graphviz: arrows between the same two stages share one."""
    lines = [
        "digraph stages {",
        'graph [fontname="sans-serif", rankdir=LR, nodesep=0.35, ranksep=0.9, bgcolor="transparent"]',
        (
            'node [fontname="sans-serif", fontsize=12, shape=box, style="rounded,filled", '
            'fillcolor="#eef3fa", color="#37568c"]'
        ),
        'edge [fontname="sans-serif", fontsize=9, color="#555555", fontcolor="#333333"]',
    ]
    for title, stages in (("Probing (private)", PROBING), ("Suspicion (public)", SUSPICION)):
        lines.append(f'subgraph "cluster_{title}" {{ label="{title}"; color="#bbbbbb"; fontsize=13')
        lines += [f'"{stage.value}"' for stage in stages]
        lines += [
            f'"{start}" -> "{end}" [label="{NEW_LINE.join(happenings)}"]'
            for (start, end), happenings in _arrows(stages).items()
        ]
        lines.append("}")
    return "\n".join([*lines, "}"])


def _arrows(stages: Sequence[Stage]) -> dict[tuple[str, str], list[str]]:
    """What leads from one stage to another, or to the end of a suspicion."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (stage, happening), row in TABLE.items():
        end = DEAD if Action.CONVICT in row.actions else row.next.value
        if stage in stages and end != stage.value:
            then = ": accuse" if Action.ACCUSE in row.actions else ""
            arrows.setdefault((stage.value, end), []).append(_SHORT[happening] + then)
    return arrows


_SHORT = {
    Happening.CHOSEN: "chosen",
    Happening.DRAWN: "drawn as witness",
    Happening.DUE: "time over",
    Happening.ANSWERED: "answered",
    Happening.UNANSWERED: "no answer",
    Happening.UNHEARD: "nobody heard",
    Happening.GONE: "gone",
    Happening.ACCUSED: "accused by us",
    Happening.SUSPICION_HEARD: "accused by others",
    Happening.CONVICTION_HEARD: "convicted by others",
    Happening.EARLY_CONVICTION_HEARD: "convicted too early",
    Happening.ENDED: "cleared or gone",
}


def picture() -> str:
    """The graph as SVG, which begins with the graph itself as a comment.

    :raises OSError: if Graphviz is not installed.
    """
    drawn = subprocess.run(["dot", "-Tsvg"], input=graph(), stdout=subprocess.PIPE, text=True, check=True).stdout
    return f"{source()}{drawn[drawn.index('<svg') :]}"


def source() -> str:
    """How the picture of the present graph begins."""
    return f"<!--\n{graph().replace('->', '=>')}\n-->\n"
