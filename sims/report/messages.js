// Messages between nodes: time goes down, a line for each node, an arrow for each message.

const MAX_ARROWS = 1500;
const MAX_LANES = 48;
const LANES_AT_FIRST = 24;
const ARROWS_AT_FIRST = 250;
const MAX_LENGTH_AT_FIRST = 3.5;
const DIAGRAM = { left: 78, right: 28, top: 46, bottom: 16 };
const FAMILIES = {
  ping: ["PING"],
  ack: ["ACK"],
  help: ["PING_REQUEST", "INDIRECT_ACK", "NACK"],
  news: ["NEWS"],
  compare: ["DIGEST", "ENTRIES"],
};
const LOSSES = {
  loss: "lost on the way",
  burst: "lost in a burst",
  cut: "lost: the way was cut",
  queue: "lost: the queue was full",
  mtu: "lost: larger than the path allows",
  "no datagrams": "lost: no datagrams pass here",
  damage: "damaged on the way, and dropped",
  nobody: "lost: nobody runs there",
};

function familyOf(kind) {
  return Object.keys(FAMILIES).find((family) => FAMILIES[family].includes(kind)) || "lost";
}

const messages = data.messages.rows.map(([at, sender, receiver, delay, kind, reason, size, copies, isFrame, about, more, ...facts]) => {
  const arrives = delay < 0 ? null : at + delay;
  let lost = data.messages.reasons[reason];
  if (arrives !== null && !lost && (receiver === NOBODY || !processAt(receiver, arrives)) && arrives <= DURATION) lost = "nobody";
  return { at, sender, receiver, arrives, kind: data.messages.kinds[kind], lost, size, copies, isFrame, about: data.messages.facts[about], more, facts: facts.map((fact) => data.messages.facts[fact]) };
});

function messageText(message) {
  const to = message.receiver === NOBODY ? "somebody unknown" : data.keys[message.receiver];
  const lines = [`${message.kind}${message.about ? ` about ${message.about}` : ""}${message.isFrame ? ", on a stream" : ""}: ${data.keys[message.sender]} to ${to}, ${counted(message.size, "byte")}`];
  lines.push(`sent at ${seconds(message.at, 4)}${message.lost ? "" : `, arrives ${((message.arrives - message.at) / TICKS * 1000).toFixed(1)} ms later${message.copies > 1 ? `, ${message.copies} times` : ""}`}`);
  if (message.lost) lines.push(LOSSES[message.lost] || message.lost);
  lines.push(...message.facts);
  if (message.more) lines.push(`and ${counted(message.more, "more fact")}`);
  return lines.join("\n");
}

function messagesWithin(from, to) {
  const time = (message) => message.at;
  return messages.slice(placeAfter(messages, from - 0.5, time), placeAfter(messages, to, time));
}

function setUpMessages() {
  const [moment, from, length, nodes, svg, readout] = ["moment", "from", "length", "nodes", "diagram", "readout"].map((name) => byId(`messages-${name}`));
  const spans = data.messages.spans;
  const total = spans.map(([begin, end]) => `${seconds(begin)} to ${seconds(end)}`);
  byId("messages-kept").textContent = `${counted(messages.length, "message")} kept, around what happened: from ${total.slice(0, 8).join(", ")}${total.length > 8 ? `, and ${total.length - 8} further spans` : ""}. Time goes down; hover over an arrow for what is in it.`;
  const moments = [...news.filter((piece) => piece.at > 0).slice(0, 60).map((piece) => [piece.at, newsText(piece)]), ...spans.slice(0, 60).map(([begin]) => [begin, "messages kept"])];
  options(moment, moments.map(([at, text], place) => [place, `${text} at ${seconds(at)}`]));

  function goTo(at) {
    const begin = Math.max(0, at - 0.1 * TICKS);
    let end = begin + MAX_LENGTH_AT_FIRST * TICKS;
    nodes.value = data.keys.length > LANES_AT_FIRST ? busiestWith(at, begin, end).map((lane) => data.keys[lane]).join(" ") : "";
    const shown = new Set(lanes());
    const within = messagesWithin(begin, end).filter((message) => shown.has(message.sender) && shown.has(message.receiver));
    if (within.length > ARROWS_AT_FIRST) end = within[ARROWS_AT_FIRST].at;
    from.value = (begin / TICKS).toFixed(4);
    length.value = Math.max(0.001, (end - begin) / TICKS).toFixed(4);
    draw();
  }

  // The node that the news is about, and those it exchanges most with.
  function busiestWith(at, begin, end) {
    const piece = news.find((each) => each.at === at);
    const around = messagesWithin(begin, end);
    const counts = new Map();
    const count = (lane, weight) => counts.set(lane, (counts.get(lane) || 0) + weight);
    const middle = piece ? data.keys.indexOf(piece.name) : -1;
    if (middle >= 0) count(middle, 1e9);
    for (const { sender, receiver } of around) {
      const weight = sender === middle || receiver === middle ? 1000 : 1;
      if (receiver !== NOBODY) {
        count(sender, weight);
        count(receiver, weight);
      }
    }
    const chosen = [...counts].sort((one, other) => other[1] - one[1]).slice(0, LANES_AT_FIRST - 8).map(([lane]) => lane);
    return chosen.length ? chosen.sort((one, other) => one - other) : data.keys.slice(0, LANES_AT_FIRST - 8).map((_, lane) => lane);
  }

  function lanes() {
    const asked = nodes.value.split(/[\s,]+/).filter(Boolean);
    const found = asked.length ? [...new Set(asked.map((key) => data.keys.indexOf(key)).filter((lane) => lane >= 0))] : data.keys.map((_, lane) => lane);
    return found.slice(0, MAX_LANES);
  }

  function draw() {
    const begin = Math.round(bounded(Number(from.value) * TICKS, 0, DURATION));
    const end = Math.round(begin + Math.max(1, Number(length.value) * TICKS));
    const shown = lanes();
    const within = messagesWithin(begin, end);
    const between = within.filter((message) => shown.includes(message.sender) && shown.includes(message.receiver));
    const drawn = between.slice(0, MAX_ARROWS);
    const width = Math.max(svg.parentElement.clientWidth - 2, DIAGRAM.left + DIAGRAM.right + shown.length * 22);
    const height = bounded(DIAGRAM.top + DIAGRAM.bottom + drawn.length * 7, 360, 3600);
    filled(svg, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
    const x = linear(0, Math.max(1, shown.length - 1), DIAGRAM.left + 14, width - DIAGRAM.right);
    const y = linear(begin, end, DIAGRAM.top, height - DIAGRAM.bottom);
    const placeOf = new Map(shown.map((lane, place) => [lane, x(place)]));
    svg.replaceChildren(...timeLines(y, width, begin, end), ...laneLines(shown, placeOf, y, begin, end), ...drawn.map((message) => arrow(message, placeOf, y)), ...beliefMarks(shown, placeOf, y, begin, end), heads(shown, placeOf, width));
    const isKept = spans.some(([since, until]) => since <= begin && end <= until + 1);
    byId("messages-readout").textContent = [
      `${grouped(drawn.length)} of ${counted(within.length, "message")} in this span ${drawn.length === 1 ? "is" : "are"} drawn${between.length > drawn.length ? "; choose a shorter span for the others" : ""}.`,
      shown.length < data.keys.length ? `Those between ${counted(shown.length, "node")} of ${data.keys.length} are shown.` : "",
      isKept ? "" : "Not all messages of this span were kept.",
    ].join(" ");
  }

  function timeLines(y, width, begin, end) {
    const ticks = niceTicks(begin / TICKS, end / TICKS, 10);
    return ticks.flatMap((value) => {
      const place = y(value * TICKS);
      return [shape("line", { class: "gridline", x1: DIAGRAM.left - 6, x2: width, y1: place, y2: place }), shape("text", { x: DIAGRAM.left - 12, y: place + 4, "text-anchor": "end" }, `${tickText(value, ticks)} s`)];
    });
  }

  function laneLines(shown, placeOf, y, begin, end) {
    return shown.flatMap((lane) => {
      const place = placeOf.get(lane);
      const parts = [shape("line", { class: "lane down", x1: place, x2: place, y1: y(begin), y2: y(end) })];
      for (const { began, ended } of livesOf[lane]) {
        if (ended < begin || began > end) continue;
        parts.push(shape("line", { class: "lane", x1: place, x2: place, y1: y(Math.max(began, begin)), y2: y(Math.min(ended, end)), "stroke-width": 2 }));
        if (ended <= end) parts.push(shape("path", { class: "stop", d: `M${place - 7} ${y(ended)}H${place + 7}` }, shape("title", {}, `${data.keys[lane]} stops at ${seconds(ended)}`)));
      }
      return parts;
    });
  }

  function beliefMarks(shown, placeOf, y, begin, end) {
    const marks = [];
    for (let at = placeAfter(changes.times, begin - 0.5); at < changes.count && changes.times[at] <= end && marks.length < MAX_ARROWS; at += 1) {
      const place = placeOf.get(changes.observers[at]);
      if (place !== undefined && changes.subjects[at] !== EVERYBODY) {
        const mark = shape("path", { d: glyph(STATUSES[changes.statuses[at]], 4.5), class: STATUSES[changes.statuses[at]], transform: `translate(${place.toFixed(1)} ${y(changes.times[at]).toFixed(1)})` });
        describedBy(mark, () => `${seconds(changes.times[at], 4)}: ${changeText(at)}`);
        marks.push(mark);
      }
    }
    return marks;
  }

  function heads(shown, placeOf, width) {
    const isTight = shown.length > 1 && Math.abs(placeOf.get(shown[1]) - placeOf.get(shown[0])) < 34;
    const texts = shown.map((lane) => {
      const place = placeOf.get(lane);
      const look = isTight ? { transform: `translate(${place + 4} ${DIAGRAM.top - 8}) rotate(-60)`, "text-anchor": "start" } : { x: place, y: DIAGRAM.top - 12, "text-anchor": "middle" };
      const key = data.keys[lane];
      return shape("text", look, key.length > 10 ? `${key.slice(0, 9)}…` : key);
    });
    const head = shape("g", { class: "head" }, shape("rect", { width, height: DIAGRAM.top - 4 }), ...texts);
    svg.parentElement.onscroll = () => head.setAttribute("transform", `translate(0 ${svg.parentElement.scrollTop})`);
    svg.parentElement.onscroll();
    return head;
  }

  function describedBy(mark, text) {
    mark.addEventListener("pointermove", (event) => showTip(event, text()));
    mark.addEventListener("pointerleave", hideTip);
  }

  function arrow(message, placeOf, y) {
    const stroke = `var(--${familyOf(message.kind)})`;
    const [x1, x2] = [placeOf.get(message.sender), placeOf.get(message.receiver)];
    const way = Math.sign(x2 - x1) || 1;
    const isShort = message.lost && message.arrives === null;
    const target = isShort ? x1 + (x2 - x1) * 0.55 : x2 - way * 2;
    const [y1, y2] = [y(message.at), y(message.arrives ?? message.at)];
    const line = `M${x1.toFixed(1)} ${y1.toFixed(1)}L${target.toFixed(1)} ${y2.toFixed(1)}`;
    const end = message.lost
      ? shape("path", { class: "cross", d: `M${target - 5} ${y2 - 5}l10 10m-10 0l10 -10` })
      : shape("path", { fill: stroke, d: headOf(target, y2, Math.atan2(y2 - y1, target - x1)) });
    const group = shape("g", { class: `message ${message.lost ? "lost" : "arrives"}` }, shape("path", { class: `arrow${message.isFrame ? " frame" : ""}`, d: line, stroke }), end, shape("path", { class: "hit", d: line }));
    describedBy(group, () => messageText(message));
    return group;
  }

  function headOf(x, y, angle) {
    const corner = (turn) => `${(x - 8 * Math.cos(angle + turn)).toFixed(1)} ${(y - 8 * Math.sin(angle + turn)).toFixed(1)}`;
    return `M${x.toFixed(1)} ${y.toFixed(1)}L${corner(0.4)}L${corner(-0.4)}Z`;
  }

  // With the keyboard: up and down go from arrow to arrow, and what is in it is told below.
  let chosen = -1;
  svg.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const groups = [...svg.querySelectorAll("g.message")];
    if (!step || !groups.length) return;
    event.preventDefault();
    groups.forEach((group) => group.classList.remove("chosen"));
    chosen = bounded(chosen + step, 0, groups.length - 1);
    groups[chosen].classList.add("chosen");
    groups[chosen].scrollIntoView({ block: "nearest" });
    const { left, top } = groups[chosen].getBoundingClientRect();
    const at = new PointerEvent("pointermove", { clientX: left, clientY: top });
    groups[chosen].dispatchEvent(at);
    readout.textContent = byId("tip").textContent;
  };
  svg.onblur = hideTip;

  function shift(by) {
    from.value = bounded(Number(from.value) + by * Number(length.value), 0, DURATION / TICKS).toFixed(4);
    draw();
  }

  const line = (family, text) => element("li", {}, shape("svg", { width: 26, height: 14, "aria-hidden": "true" }, shape("path", { d: "M0 7H20", stroke: `var(--${family})`, "stroke-width": 2 }), shape("path", { d: headOf(26, 7, 0), fill: `var(--${family})` })), text);
  byId("messages-legend").replaceChildren(
    ...Object.entries(FAMILIES).map(([family, kinds]) => line(family, kinds.join(", "))),
    element("li", {}, shape("svg", { width: 26, height: 14, "aria-hidden": "true" }, shape("path", { d: "M0 7H26", stroke: "var(--soft)", "stroke-width": 2, "stroke-dasharray": "6 3" })), "frame on a stream"),
    element("li", {}, shape("svg", { width: 14, height: 14, "aria-hidden": "true" }, shape("path", { d: "M2 2l10 10m-10 0l10 -10", stroke: "var(--lost)", "stroke-width": 2.2 })), "lost"),
    ...["suspect", "dead", "left", "alive"].map((name) => element("li", {}, shape("svg", { width: 12, height: 14, viewBox: "-6 -7 12 14", "aria-hidden": "true" }, shape("path", { d: glyph(name, 4.5), class: name })), `learns: ${name}`)),
  );
  moment.onchange = () => goTo(moments[moment.value][0]);
  from.onchange = length.onchange = nodes.onchange = draw;
  nodes.placeholder = "all; or keys, such as n0 n5 n7";
  byId("messages-earlier").onclick = () => shift(-1);
  byId("messages-later").onclick = () => shift(1);
  drawnAgain(draw);
  goTo(moments.length ? moments[0][0] : 0);
}
