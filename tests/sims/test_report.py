"""The report of a run: what is recorded is true and bounded, and the page in a browser shows just that."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gossip.core.state.member import Status
from gossip.core.support.address import Address
from sims.plan import Plan
from sims.report import Recording, beliefs, messages, recording, render
from sims.report.messages import Kept
from sims.running import Outcome, Run
from sims.scenarios import find
from sims.steps import Crash, Start, Update
from sims.world import Observer, SimulatedNode

CHROMIUM = shutil.which("chromium")

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

INJECTED = "<script>window.injected = 1</script><img src=x onerror='window.injected = 1'></script>"


@attrs.frozen
class Reported:
    """A run, and what was recorded of it."""

    plan: Plan
    run: Run
    recording: Recording
    outcome: Outcome

    @property
    def data(self) -> dict[str, list[object]]:
        """What the page was given."""
        embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', self.html, re.DOTALL)
        assert embedded is not None
        data: dict[str, list[object]] = json.loads(embedded.group(1))
        return data

    @property
    def html(self) -> str:
        """The page."""
        return render(self.recording, self.plan, self.outcome)

    @property
    def victim(self) -> str:
        """Name of the member that crashes first."""
        return self.outcome.crashes[0].name


def reported(plan: Plan, *observers: Observer) -> Reported:
    """Run a plan and record it."""
    record = Recording()
    run = Run(plan, observers=[record, *observers])
    return Reported(plan, run, record, run.run())


def eventful(seed: int = 3) -> Plan:
    """Joins, crashes, restarts, farewells and updates among 12 nodes, with losses."""
    return find("churn").plan(seed=seed, nodes=12, loss=0.05, changes={"for_s": "20"})


@pytest.fixture(scope="module")
def churn() -> Reported:
    """A run in which much happens."""
    return reported(eventful())


@pytest.fixture(scope="module")
def crash() -> Reported:
    """One of 16 members crashes, and one datagram in ten is lost."""
    return reported(find("crash").plan(seed=1, nodes=16, loss=0.1))


# --- the recording


class Tap(Observer):
    """Keeps when each datagram and frame was sent."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def sent(self, node: SimulatedNode, data: bytes, destination: Address, arrivals: list[tuple[float, bytes]],
             lost_to: str) -> None:  # fmt: skip
        """Count a datagram."""
        self.times.append(self.sim.now)

    def framed(self, node: SimulatedNode, peer: SimulatedNode, data: bytes, delay: float | None) -> None:
        """Count a frame."""
        self.times.append(self.sim.now)


def beliefs_held(report: Reported) -> dict[tuple[str, str], str]:
    """What running nodes really believe of everybody at the end."""
    held = {}
    for node in report.run.sim.running:
        for name in report.recording.names.texts:
            status = node.status_of(name)
            held[node.key, name] = "unknown" if status is None else status.value
    return held


def beliefs_replayed(report: Reported) -> dict[tuple[str, str], str]:
    """The same, from what was recorded: the picture at one moment, and all changes after it."""
    log = report.recording.beliefs
    keys, names = report.recording.keys.texts, report.recording.names.texts
    rows = [[*row, *[0] * (len(names) - len(row))] for row in log.base]
    rows += [[0] * len(names) for _ in keys[len(rows) :]]
    for observer, subject, status in zip(log.observers, log.subjects, log.statuses, strict=True):
        if subject == beliefs.EVERYBODY:
            rows[observer] = [0] * len(names)
        else:
            rows[observer][subject] = status
    running = {node.key for node in report.run.sim.running}
    return {
        (key, name): beliefs.STATUSES[rows[observer][subject]]
        for observer, key in enumerate(keys)
        if key in running
        for subject, name in enumerate(names)
    }


def test_recorded_changes_lead_to_what_nodes_believe_at_the_end(churn: Reported, crash: Reported) -> None:
    for report in (churn, crash):
        assert beliefs_replayed(report) == beliefs_held(report)
    assert "dead" in beliefs_replayed(crash).values()


def test_changes_beyond_the_limit_only_move_the_moment_since_which_they_are_kept(
    churn: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beliefs, "MAX_CHANGES", 40)
    short = reported(churn.plan)
    assert len(short.recording.beliefs) <= 40 < len(churn.recording.beliefs)
    assert short.recording.beliefs.since > churn.recording.beliefs.since == 0.0
    assert beliefs_replayed(short) == beliefs_held(short) == beliefs_held(churn)


def test_forgotten_members_become_unknown() -> None:
    report = reported(find("crash").plan(seed=1, nodes=6, changes={"forget_after": "3"}, duration_s=60.0))
    assert beliefs_replayed(report) == beliefs_held(report)
    assert set(beliefs_replayed(report).values()) == {"alive", "unknown"}


def test_news_spreads_as_the_measures_say(churn: Reported) -> None:
    spreads = churn.recording.spreads()
    crashes = [
        (each.news.name, each.times[0] if each.times else None, each.missing)
        for each in spreads
        if each.news.kind == "crash"
    ]
    updates = [
        (each.news.name, each.times[0], each.times[-1], each.missing) for each in spreads if each.news.kind == "update"
    ]
    assert crashes == [(each.name, each.first_dead_s, each.missing) for each in churn.outcome.crashes]
    assert updates == [(each.name, each.first_s, each.last_s, each.missing) for each in churn.outcome.updates]
    assert crashes
    assert updates
    assert {each.news.kind for each in spreads} == {"crash", "update", "join", "restart", "leave"}


def test_joins_at_the_beginning_reach_everybody() -> None:
    report = reported(find("bootstrap").plan(seed=2, nodes=6, duration_s=10.0))
    spreads = report.recording.spreads()
    assert [(each.news.name, len(each.times), each.missing) for each in spreads] == [
        (key, 5, 0) for key in report.plan.keys
    ]
    assert max(each.times[-1] for each in spreads) == pytest.approx(
        report.outcome.joins and report.outcome.joins.all_see_all_s
    )


def test_every_datagram_is_counted_also_when_spans_of_time_were_merged(churn: Reported) -> None:
    traffic = churn.recording.traffic
    assert traffic.width > 0.125
    assert sum(map(sum, traffic.datagrams)) == churn.outcome.datagrams
    assert sum(map(sum, traffic.bytes)) == churn.outcome.bytes


def test_within_its_spans_every_message_is_kept_and_none_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_MESSAGES", 600)
    monkeypatch.setattr(messages, "MAX_MESSAGES_BEFORE", 20)
    tap = Tap()
    report = reported(eventful(), tap)
    assert report.data["messages"]
    log = report.recording.messages
    assert 300 < len(log.kept) <= 600 < len(tap.times)
    assert len(log.spans) > 1
    for since, until in log.spans:
        sent = [time for time in tap.times if since < time < until]
        assert [each.at for each in log.kept if since < each.at < until] == sent


def test_watching_changes_nothing(crash: Reported) -> None:
    assert Run(crash.plan).run().trace_hash == crash.outcome.trace_hash


def test_of_nodes_beyond_the_limit_only_the_traffic_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_FOLLOWED", 5)
    report = reported(find("crash").plan(seed=1, nodes=9))
    traffic = report.recording.traffic
    assert len(report.recording.beliefs.base) == len(traffic.datagrams) == 5
    assert sum(map(sum, traffic.datagrams)) + sum(traffic.other_datagrams) == report.outcome.datagrams
    assert report.data["keys"] == ["n0", "n1", "n2", "n3", "n4"]


def test_every_figure_of_the_outcome_is_in_the_page(crash: Reported) -> None:
    html = crash.html
    for field in attrs.fields(Outcome):
        value = getattr(crash.outcome, field.name)
        if isinstance(value, int):
            assert f">{value:,}<" in html, field.name
    assert f">{crash.outcome.crashes[0].last_dead_s:.3f}<" in html
    assert crash.outcome.trace_hash in html
    assert "All invariants held" in html


def test_a_violation_is_told_with_the_events_before_it() -> None:
    plan = Plan(
        scenario="hasty", seed=1, nodes=5, steps=(Crash(at=3.0, node="n3"),), duration_s=4.0, agree_within_s=0.5
    )
    report = reported(plan)
    assert "All invariants held" not in report.html
    assert "AllAgreeInTheEnd at 3.500 s" in report.html
    assert "begin Crash(at=3.0, node=&#x27;n3&#x27;, refused=False)" in report.html


# --- the page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser without a window."""
    if CHROMIUM is None:
        pytest.skip("the page is tested in Chromium, which is not installed (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield opened
        opened.close()


@attrs.frozen
class Opened:
    """A page, with all that it complained of and asked for."""

    page: Page
    complaints: list[str]
    requests: list[str]
    url: str


def opened(browser: Browser, report: Reported, directory: Path) -> Opened:
    """Open a report from a file."""
    path = directory / "report.html"
    path.write_text(report.html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    complaints, requests = list[str](), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    return Opened(page, complaints, requests, path.as_uri())


@pytest.fixture(scope="module")
def shown(browser: Browser, crash: Reported, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The report of the crash, as it was opened; it has to stay without complaints to the end."""
    view = opened(browser, crash, tmp_path_factory.mktemp("report"))
    yield view
    assert view.complaints == []
    assert view.requests == [view.url]
    view.page.close()


def count(page: Page, status: str) -> int:
    """How many the ring shows with a status."""
    return int(page.locator(f"#ring-legend [data-count={status}]").inner_text())


def go_to(page: Page, ticks: int) -> None:
    """Move the slider of time."""
    page.locator("#ring-time").fill(str(ticks))


def test_the_page_asks_the_network_for_nothing_and_complains_of_nothing(shown: Opened) -> None:
    assert shown.page.title() == "crash, 16 nodes, seed 1"
    assert shown.complaints == []
    assert shown.requests == [shown.url]


def test_the_page_is_no_wider_than_a_phone(browser: Browser, crash: Reported, tmp_path: Path) -> None:
    page = opened(browser, crash, tmp_path).page
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.close()


def test_the_page_shows_the_figures_of_the_run(shown: Opened, crash: Reported) -> None:
    outcome = crash.outcome
    assert shown.page.locator("#banner").inner_text().endswith("All invariants held.")
    assert (
        f"In all {outcome.datagrams:,} datagrams with {outcome.bytes:,} bytes."
        in shown.page.locator("#traffic").inner_text()
    )
    figures = dict(
        row.split("\t") for row in shown.page.locator("#figures table").first.locator("tbody").inner_text().splitlines()
    )
    assert figures["datagrams"] == f"{outcome.datagrams:,}"
    assert figures["per node and second: bytes sent"] == f"{outcome.per_node_s.bytes_sent:,.3f}"


def test_the_curve_of_the_crash_reaches_everybody(shown: Opened, crash: Reported) -> None:
    measure = crash.outcome.crashes[0]
    curve = shown.page.locator(f'#news-chart path[data-name="crash of {measure.name}"]')
    assert curve.get_attribute("data-final") == "100"
    assert f"15 of 15 in {measure.last_dead_s:.3f} s" in shown.page.locator("#news-legend").inner_text()
    shown.page.locator("#news-legend button").click()
    assert curve.count() == 0
    shown.page.locator("#news-legend button").click()
    assert curve.count() == 1


def test_at_the_end_of_the_slider_the_ring_shows_what_nodes_believe(shown: Opened, crash: Reported) -> None:
    page, sim = shown.page, crash.run.sim
    page.locator("#ring-mode").select_option("subject")
    page.locator("#ring-node").select_option(crash.victim)
    go_to(page, 0)
    assert (count(page, "alive"), count(page, "dead"), count(page, "down")) == (16, 0, 0)
    assert "16 members" in str(page.locator("#ring-picture").text_content())
    marks = page.locator("#ring-picture .mark")
    colours = "marks => marks.map(mark => getComputedStyle(mark).fill)"
    before = marks.evaluate_all(colours)
    go_to(page, int(page.locator("#ring-time").get_attribute("max") or 0))
    dead = sum(node.status_of(crash.victim) is Status.DEAD for node in sim.running)
    assert (count(page, "alive"), count(page, "dead"), count(page, "down")) == (15 - dead, dead, 1)
    assert dead == 15
    assert f"{len(sim.members)} members" in str(page.locator("#ring-picture").text_content())
    after = marks.evaluate_all(colours)
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_the_ring_of_one_observer_shows_all_that_it_believes(shown: Opened, crash: Reported) -> None:
    page = shown.page
    page.locator("#ring-mode").select_option("observer")
    observer = next(node for node in crash.run.sim.running)
    page.locator("#ring-node").select_option(observer.key)
    go_to(page, int(page.locator("#ring-time").get_attribute("max") or 0))
    marks = page.locator("#ring-picture .mark").evaluate_all(
        "all => all.map(each => [each.dataset.node, each.dataset.status])"
    )
    assert dict(marks) == observer.sees()


def test_events_can_be_gone_through_one_by_one_and_played(shown: Opened, crash: Reported) -> None:
    page = shown.page
    go_to(page, 0)
    page.locator("#ring-next").click()
    assert page.locator("#ring-now").inner_text().startswith(f"{crash.outcome.crashes[0].at:.3f} s")
    assert f"{crash.victim} stops" in page.locator("#ring-events li.now").all_inner_texts()[1]
    went = page.locator("#ring-time").input_value()
    page.locator("#ring-play").click()
    page.wait_for_function("before => Number(document.getElementById('ring-time').value) > before", arg=int(went))
    page.locator("#ring-play").click()
    assert page.locator("#ring-play").inner_text() == "Play"


def picture(page: Page) -> str:
    """What is painted at present of what nodes believed."""
    return str(page.locator("#beliefs-picture").evaluate("canvas => canvas.toDataURL()"))


def test_another_member_gives_another_picture(shown: Opened, crash: Reported) -> None:
    page = shown.page
    assert page.locator("#beliefs-subject option:checked").inner_text() == crash.victim
    first = picture(page)
    other = next(key for key in crash.plan.keys if key != crash.victim)
    page.locator("#beliefs-subject").select_option(other)
    assert picture(page) != first
    assert (
        page.locator("#beliefs-picture").get_attribute("aria-label")
        == f"Nodes and time: what each node believed of {other}"
    )
    page.locator("#beliefs-subject").select_option(crash.victim)
    assert picture(page) == first


def test_between_crash_and_conviction_every_node_sees_one_member_wrongly(shown: Opened, crash: Reported) -> None:
    page, measure = shown.page, crash.outcome.crashes[0]
    page.locator("#beliefs-mode").select_option("wrong")
    assert measure.first_dead_s is not None
    told = []
    for time in (measure.at - 0.5, measure.at + measure.first_dead_s / 2, crash.outcome.virtual_s - 1):
        page.locator("#range-from").fill(f"{time - 0.1:.3f}")
        page.locator("#range-to").fill(f"{time + 0.1:.3f}")
        page.locator("#range-to").blur()
        page.locator("#beliefs-picture").press("ArrowRight")
        told.append(page.locator("#beliefs-readout").inner_text().partition(": ")[2])
        page.locator("#range-all").click()
    assert told == ["sees 0 members wrongly", "sees 1 member wrongly", "sees 0 members wrongly"]


def is_lost(each: Kept, crash: Reported) -> bool:
    """Whether a message reaches nobody, because it was lost or its receiver has crashed."""
    node = crash.run.sim.node_at(each.receiver)
    assert node is not None
    return bool(each.lost_to) or (not node.running and each.at + each.arrivals[0] > crash.outcome.crashes[0].at)


def test_the_diagram_shows_each_message_and_crosses_out_the_lost(shown: Opened, crash: Reported) -> None:
    page, at = shown.page, crash.outcome.crashes[0].at
    page.locator("#messages-from").fill(f"{at:.3f}")
    page.locator("#messages-length").fill("1.5")
    page.locator("#messages-length").blur()
    since, until = round(at, 3), round(at, 3) + 1.5
    within = [each for each in crash.recording.messages.kept if since <= round(each.at, 4) <= until]
    lost = [each for each in within if is_lost(each, crash)]
    assert len(within) > len(lost) > 5
    diagram = page.locator("#messages-diagram")
    assert diagram.locator("g.message").count() == len(within)
    assert diagram.locator("g.message.lost .cross").count() == diagram.locator(".cross").count() == len(lost)
    diagram.locator("g.message.lost .hit").first.dispatch_event("pointermove")
    assert "lost" in page.locator("#tip").inner_text()
    assert page.locator("#messages-readout").inner_text().startswith(f"{len(within)} of {len(within)} messages")


def test_the_diagram_shows_only_messages_between_the_nodes_asked_for(shown: Opened, crash: Reported) -> None:
    page = shown.page
    page.locator("#messages-from").fill("5")
    page.locator("#messages-length").fill("4")
    page.locator("#messages-nodes").fill(f"n0, {crash.victim}")
    page.locator("#messages-nodes").blur()
    page.locator("#messages-diagram").press("ArrowDown")
    assert re.search(
        rf": (n0 to {crash.victim}|{crash.victim} to n0), \d+ bytes", page.locator("#messages-readout").inner_text()
    )
    assert page.locator("#messages-diagram .head text").all_text_contents() == ["n0", crash.victim]
    page.locator("#messages-nodes").fill("")
    page.locator("#messages-nodes").blur()


def test_controls_and_pictures_have_names(shown: Opened) -> None:
    for part in ("select", "input", "button", "canvas", "svg[role=img]"):
        names = shown.page.locator(part).evaluate_all(
            """all => all.map(each => each.labels?.length || each.textContent.trim()
                || each.getAttribute("aria-label") || each.getAttribute("aria-labelledby"))"""
        )
        assert names
        assert all(names), part


def test_colours_follow_the_preferred_scheme(shown: Opened) -> None:
    page = shown.page
    paper = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light, light_picture = page.evaluate(paper), picture(page)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) != light
    assert picture(page) != light_picture
    page.emulate_media(color_scheme="light")


def test_names_and_metadata_stay_texts(browser: Browser, tmp_path: Path) -> None:
    plan = Plan(
        scenario=INJECTED,
        seed=1,
        nodes=3,
        steps=(
            Start(at=1.0, node=INJECTED, name=INJECTED),
            Update(at=3.0, node=INJECTED, metadata={INJECTED: INJECTED}),
            Crash(at=4.0, node=INJECTED),
        ),
        duration_s=12.0,
    )
    report = reported(plan)
    view = opened(browser, report, tmp_path)
    page = view.page
    assert page.locator("h1").inner_text() == INJECTED
    assert f"crash of {INJECTED}" in page.locator("#news-legend").inner_text()
    assert INJECTED in page.locator("#beliefs-subject").inner_text()
    assert page.locator("#messages-diagram g.message").count() > 0
    page.locator("#messages-moment").select_option(label=f"update by {INJECTED} at 3.000 s")
    update = page.locator("#messages-diagram g.message .hit").first
    update.dispatch_event("pointermove")
    assert INJECTED[:40] in page.locator("#tip").inner_text()
    assert page.evaluate("window.injected") is None
    assert page.locator("img").count() == 0
    assert (view.complaints, view.requests) == ([], [view.url])
    page.close()


def test_the_page_begins_with_what_happened_in_words_and_names_groups(browser: Browser, tmp_path: Path) -> None:
    plan = Plan(
        groups={"rack-a": 2, "edge": ["gateway", "backup"]}, duration_s=6.0, steps=[Crash(at=1, node="gateway")]
    )
    report = reported(plan)
    view = opened(browser, report, tmp_path)
    page = view.page
    assert page.locator("h1 + #headline").inner_text() == report.outcome.in_words
    assert "rack-a (2), edge (2)" in page.locator(".facts").inner_text()
    assert page.locator("#beliefs-subject option").all_text_contents() == [
        "rack-a-0",
        "rack-a-1",
        "gateway (edge)",
        "backup (edge)",
    ]
    page.locator("#messages-nodes").fill("edge")
    page.locator("#messages-nodes").blur()
    assert page.locator("#messages-diagram .head text").all_text_contents() == ["gateway", "backup"]
    assert view.complaints == []
    page.close()


def test_many_nodes_share_the_rows_of_the_picture(browser: Browser, tmp_path: Path) -> None:
    plan = Plan(scenario="start", seed=1, nodes=300, seeds=1, duration_s=0.001)
    record = Recording()
    run = Run(plan, observers=[record], checks=False)
    view = opened(browser, Reported(plan, run, record, run.run()), tmp_path)
    assert view.page.locator("#beliefs-picture").evaluate("canvas => canvas.clientHeight") < 700
    assert view.page.locator("#ring-picture .mark").count() == 300
    assert view.complaints == []
    view.page.close()
