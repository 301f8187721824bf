// The diagram of messages: time goes down, a line for each node, an arrow for each message.

const MAX_ARROWS = 1500; // drawn at once without a noticeable wait
const DIAGRAM = { left: 78, right: 28, top: 46, bottom: 16 };
const FAMILIES = {
  ping: ["PING"],
  ack: ["ACK"],
  help: ["PING_REQUEST", "INDIRECT_ACK", "NACK"],
  news: ["NEWS"],
  compare: ["DIGEST", "ENTRIES"],
};

function familyOf(kind) {
  return Object.keys(FAMILIES).find((family) => FAMILIES[family].includes(kind)) || "lost";
}

function timeLines(y, width, begin, end) {
  const ticks = niceTicks(begin / TICKS, end / TICKS, 10);
  return ticks.flatMap((value) => {
    const place = y(value * TICKS);
    return [
      shape("line", { class: "gridline", x1: DIAGRAM.left - 6, x2: width, y1: place, y2: place }),
      shape("text", { x: DIAGRAM.left - 12, y: place + 4, "text-anchor": "end" }, `${tickText(value, ticks)} s`),
    ];
  });
}

function laneLines(shown, placeOf, y, begin, end) {
  return shown.flatMap((lane) => {
    const place = placeOf.get(lane);
    const parts = [shape("line", { class: "lane down", x1: place, x2: place, y1: y(begin), y2: y(end) })];
    for (const { began, ended } of livesOf[lane]) {
      if (ended < begin || began > end) continue;
      parts.push(
        shape("line", {
          class: "lane",
          x1: place,
          x2: place,
          y1: y(Math.max(began, begin)),
          y2: y(Math.min(ended, end)),
          "stroke-width": 2,
        }),
      );
      if (ended <= end)
        parts.push(
          shape(
            "path",
            { class: "stop", d: `M${place - 7} ${y(ended)}H${place + 7}` },
            shape("title", {}, `${data.keys[lane]} stops at ${seconds(ended)}`),
          ),
        );
    }
    return parts;
  });
}

function beliefMarks(shown, placeOf, y, begin, end) {
  const marks = [];
  for (
    let at = placeAfter(changes.times, begin - 0.5);
    at < changes.count && changes.times[at] <= end && marks.length < MAX_ARROWS;
    at += 1
  ) {
    const place = placeOf.get(changes.observers[at]);
    if (place !== undefined && changes.subjects[at] !== EVERYBODY) {
      const mark = shape("path", {
        d: glyph(STATUSES[changes.statuses[at]], 4.5),
        class: STATUSES[changes.statuses[at]],
        transform: `translate(${place.toFixed(1)} ${y(changes.times[at]).toFixed(1)})`,
      });
      describedBy(mark, () => `${seconds(changes.times[at], 4)}: ${changeText(at)}`);
      marks.push(mark);
    }
  }
  return marks;
}

function heads(shown, placeOf, width, frame) {
  const isTight = shown.length > 1 && Math.abs(placeOf.get(shown[1]) - placeOf.get(shown[0])) < 34;
  const texts = shown.map((lane) => {
    const place = placeOf.get(lane);
    const look = isTight
      ? { transform: `translate(${place + 4} ${DIAGRAM.top - 8}) rotate(-60)`, "text-anchor": "start" }
      : { x: place, y: DIAGRAM.top - 12, "text-anchor": "middle" };
    const key = data.keys[lane];
    return shape("text", look, key.length > 10 ? `${key.slice(0, 9)}…` : key);
  });
  const head = shape("g", { class: "head" }, shape("rect", { width, height: DIAGRAM.top - 4 }), ...texts);
  frame.onscroll = () => head.setAttribute("transform", `translate(0 ${frame.scrollTop})`);
  frame.onscroll();
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
  const group = shape(
    "g",
    { class: `message ${message.lost ? "lost" : "arrives"}` },
    shape("path", { class: `arrow${message.isFrame ? " frame" : ""}`, d: line, stroke }),
    end,
    shape("path", { class: "hit", d: line }),
  );
  describedBy(group, () => messageText(message));
  return group;
}

function headOf(x, y, angle) {
  const corner = (turn) =>
    `${(x - 8 * Math.cos(angle + turn)).toFixed(1)} ${(y - 8 * Math.sin(angle + turn)).toFixed(1)}`;
  return `M${x.toFixed(1)} ${y.toFixed(1)}L${corner(0.4)}L${corner(-0.4)}Z`;
}

// What the lines and marks mean.
function diagramLegend() {
  const item = (width, text, ...marks) =>
    element("li", {}, shape("svg", { width, height: 14, "aria-hidden": "true" }, ...marks), text);
  const kinds = Object.entries(FAMILIES).map(([family, names]) =>
    item(
      26,
      names.join(", "),
      shape("path", { d: "M0 7H20", stroke: `var(--${family})`, "stroke-width": 2 }),
      shape("path", { d: headOf(26, 7, 0), fill: `var(--${family})` }),
    ),
  );
  const dashes = { d: "M0 7H26", stroke: "var(--soft)", "stroke-width": 2, "stroke-dasharray": "6 3" };
  const cross = { d: "M2 2l10 10m-10 0l10 -10", stroke: "var(--lost)", "stroke-width": 2.2 };
  const marks = ["suspect", "dead", "left", "alive"].map((name) =>
    item(14, `learns: ${name}`, shape("path", { d: glyph(name, 4.5), class: name, transform: "translate(7 7)" })),
  );
  return [
    ...kinds,
    item(26, "frame on a stream", shape("path", dashes)),
    item(14, "lost", shape("path", cross)),
    ...marks,
  ];
}
