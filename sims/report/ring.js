// The ring at one moment: what one node believes of all, or what all believe of one member. Shapes say the same as
// colours.

const MARKS_WITH_NAMES = 48;
const EVENTS_BEFORE = 12;
const EVENTS_AFTER = 6;
const RADIUS = 196;
const LEAST_SIZE = 4.5;

function crossCorners(s) {
  const quarter = [
    [s * 0.45, -s],
    [s, -s * 0.45],
    [s * 0.55, 0],
  ];
  const turned = (corners) => corners.map(([x, y]) => [-y, x]);
  const quarters = [quarter];
  while (quarters.length < 4) quarters.push(turned(quarters[quarters.length - 1]));
  return quarters.flat();
}

function glyph(status, size) {
  const s = size;
  switch (status) {
    case "suspect":
      return `M0 ${-s * 1.25}L${s * 1.25} 0L0 ${s * 1.25}L${-s * 1.25} 0Z`;
    case "dead":
      return `M${crossCorners(s)
        .map((corner) => corner.join(" "))
        .join("L")}Z`;
    case "left":
      return `M${-s} ${-s}H${s}V${s}H${-s}Z`;
    case "unknown":
      return `M0 ${-s * 1.1}L${s} ${s * 0.8}H${-s}Z`;
    default:
      return `M${-s} 0a${s} ${s} 0 1 0 ${2 * s} 0a${s} ${s} 0 1 0 ${-2 * s} 0`;
  }
}

function setUpRing() {
  const [mode, node, slider, output, svg, play, speed] = [
    "mode",
    "node",
    "time",
    "now",
    "picture",
    "play",
    "speed",
  ].map((name) => byId(`ring-${name}`));
  slider.max = DURATION;
  slider.value = Math.min(DURATION, Math.max(0, news.find((piece) => piece.at > 0)?.at ?? 0));
  let statusesAt = null;

  const isAboutOne = () => mode.value === "subject";

  function chooseMode() {
    const before = node.selectedOptions[0]?.textContent;
    const texts = isAboutOne() ? data.names : data.keys;
    options(
      node,
      texts.map((text, number) => [number, text]),
    );
    const wanted = isAboutOne() ? firstSubject() : Math.max(0, texts.indexOf(before));
    node.value = wanted === firstSubject() && !isAboutOne() ? (wanted + 1) % texts.length : wanted;
    chooseNode();
  }

  // For each lane its status at a time: as believed by the chosen one, or what it believes of the chosen one.
  function chooseNode() {
    const number = Number(node.value);
    if (isAboutOne()) {
      const lists = beliefsAbout(number);
      statusesAt = (time) => (lane) => (processAt(lane, time) ? STATUSES[valueAt(lists[lane], time)] : "down");
    } else {
      const beliefs = beliefsOf(number);
      statusesAt = (time) => {
        const row = beliefs(time);
        const runs = Boolean(processAt(number, time));
        return (lane) => {
          const life = livesOf[lane].findLast((each) => each.began <= time);
          return runs && life && life.subject !== NOBODY ? STATUSES[row[life.subject]] : "down";
        };
      };
    }
    draw();
  }

  function draw() {
    const time = Number(slider.value);
    const isKept = time >= data.beliefs.since;
    const statusOf = isKept ? statusesAt(time) : () => "unknown";
    const lanes = ringAt(time);
    const counts = new Map();
    const size = bounded((Math.PI * RADIUS) / lanes.length - 1, 1.2, 13);
    const marks = lanes.map((lane, place) => {
      const status = statusOf(lane);
      counts.set(status, (counts.get(status) || 0) + 1);
      return mark(lane, status, (place / lanes.length) * 2 * Math.PI, size, lanes.length <= MARKS_WITH_NAMES);
    });
    svg.replaceChildren(
      ...marks.sort((one, other) => one.size - other.size).flatMap(({ parts }) => parts),
      ...middle(time, isKept),
    );
    output.textContent = `${seconds(time)} of ${seconds(DURATION)}`;
    slider.setAttribute("aria-valuetext", seconds(time));
    drawLegend(counts);
    drawEvents(time);
  }

  function middle(time, isKept) {
    const lines = [
      isAboutOne() ? "what all believe of" : "what is believed by",
      node.selectedOptions[0]?.textContent ?? "",
      counted(membersAt(time), "member"),
      isKept ? "" : "beliefs not kept",
    ];
    return lines.map((text, place) =>
      shape(
        "text",
        { "text-anchor": "middle", y: [-24, 6, 30, 52][place], class: place === 1 ? "who" : "" },
        text.length > 40 ? `${text.slice(0, 39)}…` : text,
      ),
    );
  }

  // Among many nodes, those that are not alive stand out.
  function mark(lane, status, angle, usual, isNamed) {
    const size = status === "alive" ? usual : Math.max(usual, LEAST_SIZE);
    const [x, y] = [Math.sin(angle), -Math.cos(angle)];
    const place = `translate(${(x * RADIUS).toFixed(1)} ${(y * RADIUS).toFixed(1)})`;
    const isChosen = data.keys[lane] === node.selectedOptions[0]?.textContent;
    const parts = [
      shape(
        "path",
        {
          class: `mark ${status}`,
          d: glyph(status, size),
          transform: place,
          "data-node": data.keys[lane],
          "data-status": status,
          "stroke-width": size < 3 ? 0 : 0.6,
        },
        shape("title", {}, `${labelled(data.keys[lane])}: ${status === "down" ? "does not run" : status}`),
      ),
    ];
    if (isChosen) parts.push(shape("circle", { class: "chosen", r: Math.max(4, size * 1.6), transform: place }));
    if (isNamed) {
      const key = data.keys[lane];
      const anchor = Math.abs(x) < 0.25 ? "middle" : x > 0 ? "start" : "end";
      parts.push(
        shape(
          "text",
          {
            x: (x * (RADIUS + size * 1.3 + 10)).toFixed(1),
            y: (y * (RADIUS + size * 1.3 + 12) + 4).toFixed(1),
            "text-anchor": anchor,
          },
          key.length > 7 ? `…${key.slice(-6)}` : key, // names in a group differ at their end
        ),
      );
    }
    return { size, parts };
  }

  function drawLegend(counts) {
    const items = ["alive", "suspect", "dead", "left", "unknown", "down"].map((name) => {
      const drawing = shape(
        "svg",
        { width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true" },
        shape("path", { class: name, d: glyph(name, 6) }),
      );
      return element(
        "li",
        {},
        drawing,
        element("span", {}, name === "down" ? "does not run" : name),
        element("b", { "data-count": name }, counts.get(name) || 0),
      );
    });
    byId("ring-legend").replaceChildren(...items);
  }

  function drawEvents(time) {
    const place = placeAfter(happenings, time, (each) => each[0]);
    const shown = happenings.slice(Math.max(0, place - EVENTS_BEFORE), place + EVENTS_AFTER);
    const items = shown.map(([at, text]) =>
      eventItem(at, text(), at > time ? "later" : at === happenings[Math.max(0, place - 1)][0] ? "now" : ""),
    );
    byId("ring-events").replaceChildren(
      ...(items.length ? items : [element("li", {}, "Nothing happened in this run.")]),
    );
  }

  function step(forward) {
    const time = Number(slider.value);
    const place = placeAfter(happenings, forward ? time : time - 1, (each) => each[0]);
    const next = happenings[forward ? place : place - 1];
    if (next) slider.value = next[0];
    draw();
  }

  // --- playing

  let before = null;
  let exact = 0;

  function frame(now) {
    if (before === null) return;
    exact += ((now - before) / 1000) * Number(speed.value) * TICKS;
    before = now;
    slider.value = Math.min(DURATION, exact);
    draw();
    if (exact >= DURATION) stop();
    else requestAnimationFrame(frame);
  }

  function stop() {
    before = null;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  }

  play.onclick = () => {
    if (before !== null) {
      stop();
      return;
    }
    if (Number(slider.value) >= DURATION) slider.value = 0;
    exact = Number(slider.value);
    before = performance.now();
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    requestAnimationFrame(frame);
  };
  slider.oninput = () => {
    exact = Number(slider.value);
    draw();
  };
  slider.onkeydown = (event) => {
    const by = {
      PageUp: DURATION / 50,
      PageDown: -DURATION / 50,
      ArrowRight: DURATION / 1000,
      ArrowUp: DURATION / 1000,
      ArrowLeft: -DURATION / 1000,
      ArrowDown: -DURATION / 1000,
    }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    slider.value = bounded(Number(slider.value) + Math.sign(by) * Math.max(1, Math.abs(by)), 0, DURATION);
    slider.oninput();
  };
  byId("ring-previous").onclick = () => step(false);
  byId("ring-next").onclick = () => step(true);
  mode.onchange = chooseMode;
  node.onchange = chooseNode;
  drawnAgain(draw);
  chooseMode();
}
