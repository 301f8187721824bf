// Messages between nodes: which exist, what is in them, and which are drawn.

const MAX_LANES = 48; // 22 pixels each on a laptop's screen
const MANY_NODES = 24; // with more nodes, only some are shown at first
const LANES_AT_FIRST = 16;
const ARROWS_AT_FIRST = 250; // as many as can be followed
const MAX_LENGTH_AT_FIRST = 3.5; // seconds; a crash is noticed within them
const MOMENTS_OFFERED = 60; // a list to look through
const SPANS_LISTED = 8;
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

const messages = data.messages.rows.map(
  ([at, sender, receiver, delay, kind, reason, size, copies, isFrame, about, more, ...facts]) => {
    return {
      at,
      sender,
      receiver,
      arrives: delay < 0 ? null : at + delay,
      kind: data.messages.kinds[kind],
      lost: data.messages.reasons[reason],
      size,
      copies,
      isFrame,
      about: data.messages.facts[about],
      more,
      facts: facts.map((fact) => data.messages.facts[fact]),
    };
  },
);

function messageText(message) {
  const to = message.receiver === NOBODY ? "a node that is not followed" : data.keys[message.receiver];
  const what = `${message.kind}${message.about ? ` about ${message.about}` : ""}${message.isFrame ? ", on a stream" : ""}`;
  const lines = [`${what}: ${data.keys[message.sender]} to ${to}, ${counted(message.size, "byte")}`];
  const delay = message.lost
    ? ""
    : `, arrives ${(((message.arrives - message.at) / TICKS) * 1000).toFixed(1)} ms later`;
  lines.push(`sent at ${seconds(message.at, 4)}${delay}${message.copies > 1 ? `, ${message.copies} times` : ""}`);
  if (message.lost) lines.push(LOSSES[message.lost] || message.lost);
  lines.push(...message.facts);
  if (message.more) lines.push(`and ${counted(message.more, "more fact")}`);
  return lines.join("\n");
}

function messagesWithin(from, to) {
  const time = (message) => message.at;
  return messages.slice(placeAfter(messages, from - 0.5, time), placeAfter(messages, to, time));
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
  const chosen = [...counts]
    .sort((one, other) => other[1] - one[1])
    .slice(0, LANES_AT_FIRST)
    .map(([lane]) => lane);
  return chosen.length
    ? chosen.sort((one, other) => one - other)
    : data.keys.slice(0, LANES_AT_FIRST).map((_, lane) => lane);
}

// The nodes that the reader named, alone or by their group; or all.
function lanesNamed(text) {
  const groups = new Map(data.groups);
  const words = text.split(/[\s,]+/).filter(Boolean);
  const asked = words.flatMap((word) => groups.get(word) || [word]);
  const found = asked.length
    ? [...new Set(asked.map((key) => data.keys.indexOf(key)).filter((lane) => lane >= 0))]
    : data.keys.map((_, lane) => lane);
  return found.slice(0, MAX_LANES);
}

function keptText(spans) {
  const total = spans.map(([begin, end]) => `${seconds(begin)} to ${seconds(end)}`);
  const listed = total.slice(0, SPANS_LISTED).join(", ");
  const others = total.length > SPANS_LISTED ? `, and ${total.length - SPANS_LISTED} further spans` : "";
  const where = total.length ? `, around what happened: from ${listed}${others}` : "";
  return `${counted(messages.length, "message")} kept${where}. Time goes down; hover over an arrow to see what is in it.`;
}

// Moments to choose from: [time, text].
function momentsOffered(spans) {
  return [
    ...news
      .filter((piece) => piece.at > 0)
      .slice(0, MOMENTS_OFFERED)
      .map((piece) => [piece.at, newsText(piece)]),
    ...spans.slice(0, MOMENTS_OFFERED).map(([begin]) => [begin, "messages kept"]),
  ];
}

function setUpMessages() {
  const [moment, from, length, nodes, svg, readout] = ["moment", "from", "length", "nodes", "diagram", "readout"].map(
    (name) => byId(`messages-${name}`),
  );
  const spans = data.messages.spans;
  byId("messages-kept").textContent = keptText(spans);
  const moments = momentsOffered(spans);
  options(
    moment,
    moments.map(([at, text], place) => [place, `${text} at ${seconds(at)}`]),
  );

  function goTo(at) {
    const begin = Math.max(0, at - 0.1 * TICKS);
    let end = begin + MAX_LENGTH_AT_FIRST * TICKS;
    nodes.value =
      data.keys.length > MANY_NODES
        ? busiestWith(at, begin, end)
            .map((lane) => data.keys[lane])
            .join(" ")
        : "";
    const shown = new Set(lanesNamed(nodes.value));
    const within = messagesWithin(begin, end).filter(
      (message) => shown.has(message.sender) && shown.has(message.receiver),
    );
    if (within.length > ARROWS_AT_FIRST) end = within[ARROWS_AT_FIRST].at;
    from.value = (begin / TICKS).toFixed(4);
    length.value = Math.max(0.001, (end - begin) / TICKS).toFixed(4);
    draw();
  }

  function draw() {
    const begin = Math.round(bounded(Number(from.value) * TICKS, 0, DURATION));
    const end = Math.round(begin + Math.max(1, Number(length.value) * TICKS));
    const shown = lanesNamed(nodes.value);
    const within = messagesWithin(begin, end);
    const between = within.filter((message) => shown.includes(message.sender) && shown.includes(message.receiver));
    const drawn = between.slice(0, MAX_ARROWS);
    const width = Math.max(svg.parentElement.clientWidth - 2, DIAGRAM.left + DIAGRAM.right + shown.length * 22);
    const height = bounded(DIAGRAM.top + DIAGRAM.bottom + drawn.length * 7, 360, 3600);
    filled(svg, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
    const x = linear(0, Math.max(1, shown.length - 1), DIAGRAM.left + 14, width - DIAGRAM.right);
    const y = linear(begin, end, DIAGRAM.top, height - DIAGRAM.bottom);
    const placeOf = new Map(shown.map((lane, place) => [lane, x(place)]));
    svg.replaceChildren(
      ...timeLines(y, width, begin, end),
      ...laneLines(shown, placeOf, y, begin, end),
      ...drawn.map((message) => arrow(message, placeOf, y)),
      ...beliefMarks(shown, placeOf, y, begin, end),
      heads(shown, placeOf, width, svg.parentElement),
    );
    const isKept = spans.some(([since, until]) => since <= begin && end <= until + 1);
    const more = between.length > drawn.length ? "; choose a shorter span for the others" : "";
    byId("messages-readout").textContent = [
      `${grouped(drawn.length)} of ${counted(within.length, "message")} in this span ${drawn.length === 1 ? "is" : "are"} drawn${more}.`,
      shown.length < data.keys.length
        ? `Those between ${counted(shown.length, "node")} of ${data.keys.length} are shown.`
        : "",
      isKept ? "" : "Not all messages of this span were kept.",
    ].join(" ");
  }

  // With the keyboard, up and down go from arrow to arrow, and the text below says what is in it.
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

  byId("messages-legend").replaceChildren(...diagramLegend());
  moment.onchange = () => goTo(moments[moment.value][0]);
  from.onchange = length.onchange = nodes.onchange = draw;
  const example = data.groups.length ? data.groups[0][0] : "n0 n5 n7";
  nodes.placeholder = `all; or names, such as ${example}`;
  byId("messages-earlier").onclick = () => shift(-1);
  byId("messages-later").onclick = () => shift(1);
  drawnAgain(draw);
  goTo(moments.length ? moments[0][0] : 0);
}
