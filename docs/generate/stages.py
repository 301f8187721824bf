"""The page ``docs/protocol/stages.rst`` and its pictures: the stages of a member under scrutiny, as the code has them.

Graphviz (``dot``) draws the pictures. Each holds the graph from which it was drawn, which shows without Graphviz
whether the picture is current.
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

"""

PARTS = {"Probing": PROBING, "Suspicion": SUSPICION}
"""The parts of the page by their titles: which stages each has."""


def page() -> str:
    """The page as reStructuredText."""
    return HEAD + "\n\n".join("\n".join(_part(title)) for title in PARTS) + "\n"


def file_of(title: str) -> str:
    """The file of the picture of a part, in the folder of the page."""
    return f"{title.lower()}.svg"


def _part(title: str) -> Iterator[str]:
    yield title
    yield "-" * len(title)
    yield ""
    yield f".. figure:: {file_of(title)}"
    yield f"   :alt: The stages of {title.lower()}, with an arrow for each row of the table below."
    yield ""
    yield f".. list-table:: Stages of {title.lower()}"
    yield "   :header-rows: 1"
    yield "   :widths: 17 34 17 32"
    yield ""
    yield from _row("Stage", "What happens", "Next stage", "What the node does")
    for (stage, happening), row in TABLE.items():
        if stage in PARTS[title]:
            yield from _row(
                stage.value, happening.value, row.next.value, "; ".join(each.value for each in row.actions) or "nothing"
            )


def _row(*cells: str) -> Iterator[str]:
    for number, cell in enumerate(cells):
        yield f"   {' ' if number else '*'} - {cell}"


def graph(title: str) -> str:
    """The stages of a part as a graph for Graphviz: arrows between the same two stages share one.

    It is narrow enough for a page, so that the words keep the size of the text around it.
    """
    lines = [
        "digraph stages {",
        'graph [fontname="sans-serif", nodesep=0.35, ranksep=0.6, bgcolor="white", pad=0.2]',
        (
            'node [fontname="sans-serif", fontsize=14, shape=box, style="rounded,filled", '
            'fillcolor="#eef3fa", color="#37568c"]'
        ),
        'edge [fontname="sans-serif", fontsize=12, color="#555555", fontcolor="#333333"]',
        *(f'"{stage.value}"' for stage in PARTS[title]),
        *(
            f'"{start}" -> "{end}" [label="{NEW_LINE.join(happenings)}"]'
            for (start, end), happenings in _arrows(PARTS[title]).items()
        ),
    ]
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


def picture(title: str) -> str:
    """The graph of a part as SVG, which begins with the graph itself as a comment.

    :raises OSError: if Graphviz is not installed.
    """
    drawing = subprocess.run(["dot", "-Tsvg"], input=graph(title), stdout=subprocess.PIPE, text=True, check=True).stdout
    return f"{source(title)}{drawing[drawing.index('<svg') :]}"


def source(title: str) -> str:
    """How the picture of the present graph of a part begins."""
    return f"<!--\n{graph(title).replace('->', '=>')}\n-->\n"
