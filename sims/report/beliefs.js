// What each node believed of one member, and how many members it saw wrongly, over time.

const DOWN = 5;
const MISSING = 6;
const RANKS = { [DOWN]: 1, [ALIVE]: 2, [UNKNOWN]: 3, [SUSPECT]: 4, [LEFT]: 5, [DEAD]: 6, [MISSING]: 7 };
const PAINTS = [null, "down", "alive", "unknown", "suspect", "left", "dead", "missing"];
const STATUS_WORDS = ["unknown", "alive", "suspect", "dead", "left", "does not run", "not kept"];

// The member shown first: the first one with news after the beginning.
// Without news, it is the member about which beliefs changed most, among the first members.
const SUBJECTS_COMPARED = 200;

function firstSubject() {
  const first = news.find((piece) => piece.at > 0) || news[0];
  if (first) return Math.max(0, data.names.indexOf(first.name));
  const changes = data.names
    .slice(0, SUBJECTS_COMPARED)
    .map((_, name) => beliefsAbout(name).reduce((sum, list) => sum + list.length, 0));
  return Math.max(0, changes.indexOf(Math.max(...changes)));
}

function setUpBeliefs() {
  const [mode, subject, canvas, readout] = [
    "beliefs-mode",
    "beliefs-subject",
    "beliefs-picture",
    "beliefs-readout",
  ].map(byId);
  options(
    subject,
    data.names.map((name, number) => [number, labelled(name)]),
  );
  subject.value = firstSubject();
  let lists = [];
  let most = 1;
  let wrong = null;

  const isWrong = () => mode.value === "wrong";
  const rankOfWrong = (number) =>
    2 + (number ? 1 + Math.round((Math.log(number) / Math.log(Math.max(2, most))) * 100) : 0);

  function fill(put) {
    data.keys.forEach((_, lane) => {
      if (data.beliefs.since > 0) put(lane, 0, data.beliefs.since, isWrong() ? 200 : RANKS[MISSING]);
      const list = lists[lane];
      for (const { began, ended } of livesOf[lane]) {
        const until = Math.min(ended, DURATION);
        for (
          let at = Math.max(0, placeAfter(list, began, (item) => item[0]) - 1);
          at < list.length && list[at][0] < until;
          at += 1
        ) {
          const from = Math.max(list[at][0], began);
          const to = at + 1 < list.length ? Math.min(list[at + 1][0], until) : until;
          if (from < to) put(lane, from, to, isWrong() ? rankOfWrong(list[at][1]) : RANKS[list[at][1]]);
        }
      }
    });
  }

  function paint(rank) {
    if (!isWrong()) return rgb(colour(PAINTS[rank] || "down"));
    if (rank === 200) return rgb(colour("missing"));
    return rank < 2 ? rgb(colour("down")) : heat(rank === 2 ? 0 : 0.15 + ((rank - 3) / 100) * 0.85);
  }

  function describe(lane, time) {
    const where = `${labelled(data.keys[lane])} at ${seconds(time)}`;
    if (!processAt(lane, time)) return `${where}: ${STATUS_WORDS[DOWN]}`;
    if (time < data.beliefs.since) return `${where}: ${STATUS_WORDS[MISSING]}`;
    const value = valueAt(lists[lane], time);
    return isWrong()
      ? `${where}: sees ${counted(value, "member")} wrongly`
      : `${where}: ${labelled(data.names[subject.value])} ${STATUS_WORDS[value]}`;
  }

  const grid = new Grid(canvas, readout, { fill, paint, describe });

  function choose() {
    if (isWrong()) {
      wrong = wrong || wrongViews();
      most = wrong.reduce((highest, list) => list.reduce((value, item) => Math.max(value, item[1]), highest), 1);
      lists = wrong;
    } else {
      lists = beliefsAbout(Number(subject.value));
    }
    subject.disabled = isWrong();
    const what = isWrong()
      ? "how many members each node saw wrongly"
      : `what each node believed of ${data.names[subject.value]}`;
    canvas.setAttribute("aria-label", `Nodes and time: ${what}`);
    draw();
  }

  function draw() {
    const legend = isWrong()
      ? [
          ramp(["0", `${most} members seen wrongly (a suspect still counts as living)`]),
          swatch("down", STATUS_WORDS[DOWN]),
        ]
      : ["alive", "suspect", "dead", "left", "unknown"]
          .map((name) => swatch(name, name))
          .concat(swatch("down", STATUS_WORDS[DOWN]));
    if (data.beliefs.since > 0)
      legend.push(swatch("missing", `not kept: too many changes; kept since ${seconds(data.beliefs.since)}`));
    if (data.notes.length)
      legend.push(
        element("li", {}, element("span", { "aria-hidden": "true" }, "▼ ▽"), "something is done to the world, or ends"),
      );
    byId("beliefs-legend").replaceChildren(...legend);
    grid.draw();
  }

  byId("notes").replaceChildren(...data.notes.map(([time, text]) => eventItem(time, text)));
  mode.onchange = subject.onchange = choose;
  drawnAgain(draw);
  choose();
}

function swatch(name, text) {
  const look = { width: 14, height: 14, rx: 2, x: 0.5, y: 0.5 };
  const box = shape("rect", name === "missing" ? look : { ...look, class: name });
  if (name === "missing") box.style.fill = "var(--missing)";
  return element("li", {}, shape("svg", { width: 15, height: 15, "aria-hidden": "true" }, box), text);
}

function eventItem(time, text, state = "") {
  return element("li", state ? { class: state } : {}, element("time", {}, seconds(time)), element("span", {}, text));
}
