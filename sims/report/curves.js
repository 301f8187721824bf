// How news spread: a step curve for each piece of news. Of many pieces, a dozen, the extremes and the median.

const SHOWN_AT_ONCE = 12; // nobody can tell more curves apart
const CURVE_COLOURS = 7;
const WIDE_SPREAD = 20; // if the slowest takes so many times longer than the fastest, the axis is logarithmic
const DASHES = ["", "7 4", "2 3", "10 3 2 3"];

function curvesOf(kind, origin) {
  const chosen = news
    .filter((piece) => kind === "all" || piece.kind === kind)
    .map(origin === "first" ? sinceFirst : (piece) => piece);
  const curves = chosen.slice(0, SHOWN_AT_ONCE).map((piece) => ({ piece, name: newsText(piece) }));
  if (chosen.length > SHOWN_AT_ONCE) {
    const complete = chosen
      .filter((piece) => piece.heard === piece.all)
      .sort((one, other) => lastTime(one) - lastTime(other));
    if (complete.length) {
      curves.push({ piece: complete[0], name: `fastest: ${newsText(complete[0])}` });
      curves.push({
        piece: complete[complete.length - 1],
        name: `slowest: ${newsText(complete[complete.length - 1])}`,
      });
    }
    curves.push({ piece: medianOf(chosen), name: `median of all ${chosen.length}`, isMedian: true });
  }
  return { curves, total: chosen.length };
}

function lastTime(piece) {
  return piece.points.length ? piece.points[piece.points.length - 1][0] : 0;
}

// At each share, the time that half of the pieces do not exceed.
function medianOf(pieces) {
  const points = [];
  for (let share = 1; share <= 100; share += 1) {
    const times = pieces.map((piece) => {
      const point = piece.points.find(([, count]) => (count / piece.all) * 100 >= share);
      return point ? point[0] : Infinity;
    });
    const middle = times.sort((one, other) => one - other)[Math.ceil(times.length / 2) - 1];
    if (middle < Infinity) points.push([middle, share]);
  }
  return { points, heard: points.length, all: 100, at: null };
}

// The same news, as time since the first member knew.
function sinceFirst(piece) {
  const first = piece.points.length ? piece.points[0][0] : 0;
  return { ...piece, points: piece.points.map(([time, count]) => [time - first, count]) };
}

function countAt(piece, time) {
  const place = placeAfter(piece.points, time, (point) => point[0]);
  return place ? piece.points[place - 1][1] : 0;
}

function curveLook(curve, place) {
  if (curve.isMedian) return { stroke: "var(--ink)", "stroke-width": 3.5 };
  const dash = DASHES[Math.floor(place / CURVE_COLOURS) % DASHES.length];
  return { stroke: `var(--c${place % CURVE_COLOURS})`, "stroke-dasharray": dash };
}

function curveSummary({ piece, isMedian }) {
  if (isMedian)
    return piece.heard === 100
      ? `all in ${seconds(lastTime(piece))}`
      : `${piece.heard} % in ${seconds(lastTime(piece))}`;
  return `${piece.heard} of ${piece.all}${piece.heard ? ` in ${seconds(lastTime(piece))}` : ""}`;
}

function setUpCurves() {
  const [kind, scale, unit, svg] = ["news-kind", "news-scale", "news-unit", "news-chart"].map(byId);
  const origin = byId("news-origin");
  const kinds = [...new Set(news.map((piece) => piece.kind))];
  options(kind, [
    ["all", `all (${news.length})`],
    ...kinds.map((each) => [each, `${each} (${news.filter((piece) => piece.kind === each).length})`]),
  ]);
  let curves = [];
  const hidden = new Set();

  const since = () => (origin.value === "first" ? "the first knew" : "it happened");
  const isShown = (curve) => !hidden.has(curve.name);
  const height = (curve, count) => (unit.value === "share" || curve.isMedian ? (count / curve.piece.all) * 100 : count);

  function draw() {
    const { width, height: tall } = sized(svg);
    const box = { left: 52, right: width - 12, top: 26, bottom: tall - 42 };
    const shown = curves.filter(isShown);
    const last = Math.max(10, ...shown.map((curve) => lastTime(curve.piece))) / TICKS;
    const most =
      unit.value === "share" ? 100 : Math.max(1, ...shown.map((curve) => (curve.isMedian ? 1 : curve.piece.all)));
    const isLog = scale.value === "log";
    const soonest = Math.min(
      last / 10,
      ...shown
        .flatMap((curve) => curve.piece.points.map((point) => point[0]).filter((time) => time > 0))
        .map((time) => time / TICKS),
    );
    const x = isLog
      ? logarithmic(10 ** Math.floor(Math.log10(soonest)), last * 1.1, box.left, box.right)
      : linear(0, last * 1.04, box.left, box.right);
    const y = linear(0, most, box.bottom, box.top);
    const yLabel = unit.value === "share" ? "share of members that know" : "members that know";
    axes(svg, box, x, y, {
      xLabel: `seconds since ${since()}`,
      yLabel,
      yText: unit.value === "share" ? (value) => `${value} %` : null,
    });
    curves.forEach((curve, place) => {
      if (!isShown(curve) || (curve.isMedian && unit.value !== "share")) return;
      const points = [[0, 0], ...curve.piece.points.map(([time, count]) => [time / TICKS, height(curve, count)])];
      const path = `${steps(points, x, y)}H${box.right}`;
      svg.append(
        shape("path", {
          class: "curve",
          d: path,
          "data-name": curve.name,
          "data-final": points[points.length - 1][1],
          ...curveLook(curve, place),
        }),
      );
    });
    svg.append(shape("line", { class: "cursor", y1: box.top, y2: box.bottom, x1: -9, x2: -9 }));
    svg.onpointermove = (event) => point(event, x, box);
    svg.onpointerleave = () => {
      hideTip();
      svg.lastChild.setAttribute("x1", -9);
      svg.lastChild.setAttribute("x2", -9);
    };
  }

  function point(event, x, box) {
    const place = bounded(event.clientX - svg.getBoundingClientRect().left, box.left, box.right);
    const time = Math.max(0, x.invert(place)) * TICKS;
    svg.lastChild.setAttribute("x1", place);
    svg.lastChild.setAttribute("x2", place);
    const lines = curves.filter(isShown).map((curve) => {
      const count = countAt(curve.piece, time);
      return `${curve.name}: ${curve.isMedian ? `${count} %` : `${count} of ${curve.piece.all}`}`;
    });
    showTip(event, [`${seconds(time, 4)} since ${since()}`, ...lines].join("\n"));
  }

  function choose() {
    const found = curvesOf(kind.value, origin.value);
    curves = found.curves;
    const ends = curves.map((curve) => lastTime(curve.piece)).filter((time) => time > 0);
    scale.value = Math.max(...ends) > WIDE_SPREAD * Math.min(...ends) ? "log" : "linear";
    hidden.clear();
    byId("news-legend").replaceChildren(...curves.map(legendItem));
    const rest =
      found.total > SHOWN_AT_ONCE ? `The first ${SHOWN_AT_ONCE} of ${found.total}, the extremes and the median. ` : "";
    const lost = data.newsLeftOut ? `${counted(data.newsLeftOut, "further piece")} of news not followed.` : "";
    svg.style.display = found.total ? "" : "none";
    byId("news-readout").textContent = found.total ? rest + lost : "There was no news in this run.";
    draw();
  }

  function legendItem(curve, place) {
    const line = shape("line", { x1: 0, x2: 26, y1: 7, y2: 7, "stroke-width": 2.5, ...curveLook(curve, place) });
    const swatch = shape("svg", { width: 26, height: 14, "aria-hidden": "true" }, line);
    const when = curve.piece.at === null ? "" : ` at ${seconds(curve.piece.at)}`;
    const button = element(
      "button",
      { type: "button", "aria-pressed": "true" },
      swatch,
      element("span", {}, `${curve.name}${when}: ${curveSummary(curve)}`),
    );
    button.onclick = () => {
      if (!hidden.delete(curve.name)) hidden.add(curve.name);
      button.setAttribute("aria-pressed", String(isShown(curve)));
      draw();
    };
    return element("li", {}, button);
  }

  kind.onchange = origin.onchange = choose;
  scale.onchange = unit.onchange = draw;
  drawnAgain(draw);
  choose();
}
