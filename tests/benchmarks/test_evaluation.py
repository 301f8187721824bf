"""The figures at the top of the evaluation are those of the kept results."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable

import pytest

from benchmarks.analysis.figures import kept_figures
from benchmarks.documents import CHOICES, EMBEDDING, FIGURES, RESULTS
from tests.rst import ROOT, document, table

FOUND = {claim: figure for claim, figure, _page in table(document("docs/evaluation.rst"), "What was found")}
KEPT = {
    figure.name: figure.value
    for name in (*FIGURES.values(), *EMBEDDING.values())
    for figure in kept_figures(json.loads(document(f"{RESULTS}/{name}.json")))
}
CELLS = {
    (cell["condition"], cell["ablation"]): cell for cell in json.loads(document(f"{RESULTS}/{CHOICES}.json"))["cells"]
}
SIZES = (32, 128, 1000)


def known(event: str, figure: str) -> list[float]:
    """A figure of the time until the last member knows of an event, at each size, in seconds."""
    return [KEPT[f"{nodes} nodes, {event}, last one knows: {figure}"] for nodes in SIZES]


def span(values: Iterable[float], form: str) -> str:
    """The smallest and the largest of some values."""
    texts = [form.format(value) for value in sorted(values)]
    return f"{texts[0]} to {texts[-1]}"


def crash() -> str:
    medians, rare = known("crash", "median of 200"), known("crash", "99 %")
    return f"medians of {span(medians, '{:.1f}')} s for 32 to 1,000 members; 99 % within {span(rare, '{:.1f}')} s"


def update() -> str:
    medians, worst = known("update", "median of 200"), max(known("update", "worst"))
    in_ms = span((1000 * median for median in medians), "{:.0f}")
    return f"medians of {in_ms} ms for 32 to 1,000 members; {1000 * worst:.0f} ms at worst"


def loss() -> str:
    return f"{KEPT['25 % loss, 128 nodes, 10.7 node-days: false deaths']:.0f} false deaths in 10.7 node-days"


def blocked() -> str:
    healthy = KEPT["messages blocked, 32 cells: healthy held dead by healthy"]
    share = KEPT["messages blocked, healthy held dead by blocked, per cent of that with guards off"]
    return f"{healthy:.0f} at healthy members; at blocked members {share:.2f} % of those without guards"


def cut() -> str:
    median, worst = (KEPT[f"split-heal, 100 nodes, agreed: {which}"] for which in ("median of 5", "worst"))
    return f"a median of {median:.1f} s for 100 members cut in halves; {worst:.1f} s at worst"


def push() -> str:
    without = [
        CELLS[f"{nodes} members, 0% loss", "no push, news only rides"]["update_p50_s"] for nodes in SIZES
    ]  # fmt: skip
    return f"without the push, an update takes {span(without, '{:.0f}')} s without loss"


def second_probe() -> str:
    condition = "128 members, 25% loss"
    times = CELLS[condition, "no private watch"]["suspicions"] / CELLS[condition, "as built"]["suspicions"]
    return f"without it, more than {math.floor(times)} times as many among 128 members at 25 % loss"


def imports() -> str:
    times = KEPT["import gossip, as a multiple of trio, attrs and cbor2"]
    return f"``import gossip`` takes {times:.2f} times as long"


@pytest.mark.parametrize("figure", [crash, update, loss, blocked, cut, push, second_probe, imports])
def test_the_overview_shows_the_kept_figures(figure: Callable[[], str]) -> None:
    assert any(shown.startswith(figure()) for shown in FOUND.values()), figure()


def test_the_overview_leads_to_every_page_of_the_evaluation() -> None:
    pages = {f"evaluation/{path.stem}" for path in (ROOT / "docs" / "evaluation").glob("*.rst")}
    text = document("docs/evaluation.rst")
    assert {page for page in pages if f":doc:`{page}`" in text and f"\n   {page}\n" in text} == pages
