// Elements, numbers, scales, axes and the tip, which all parts of the page use. Texts only ever become text nodes.

const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
  return document.getElementById(id);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return node;
}

function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => element("option", { value }, text)));
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function bounded(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

// The place of the first item of a sorted list whose key is above the value.
function placeAfter(list, value, key = (item) => item) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function grouped(number, digits = 0) {
  return number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function figure(number) {
  return grouped(number, number >= 100 || Number.isInteger(number) ? 0 : number >= 1 ? 1 : 3);
}

function counted(number, one, many = `${one}s`) {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

// --- scales

function linear(from, to, start, end) {
  const scale = (value) => start + ((value - from) / (to - from || 1)) * (end - start);
  scale.invert = (place) => from + ((place - start) / (end - start || 1)) * (to - from);
  scale.ticks = (count) => niceTicks(from, to, count);
  return scale;
}

function logarithmic(from, to, start, end) {
  const inner = linear(Math.log10(from), Math.log10(to), start, end);
  const scale = (value) => inner(Math.log10(Math.max(value, from)));
  scale.invert = (place) => 10 ** inner.invert(place);
  scale.ticks = () => {
    const found = [];
    for (let power = Math.ceil(Math.log10(from) - 1e-9); 10 ** power <= to * 1.0001; power += 1)
      found.push(10 ** power);
    return found;
  };
  return scale;
}

function niceTicks(from, to, count) {
  const rough = (to - from) / Math.max(1, count);
  if (!(rough > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
  const found = [];
  for (let at = Math.ceil(from / step - 1e-9) * step; at <= to + step * 1e-6; at += step)
    found.push(Math.round(at / step) * step || 0);
  return found;
}

// Enough digits to tell neighbours apart.
function tickText(value, ticks) {
  const step = ticks.length > 1 ? Math.min(...ticks.slice(1).map((tick, at) => tick - ticks[at])) : value || 1;
  if (ticks.every((tick) => tick > 0 && Math.abs(Math.log10(tick) % 1) < 1e-9))
    return String(Number(value.toPrecision(1)));
  const digits = bounded(Math.ceil(-Math.log10(step) - 1e-9), 0, 6);
  return grouped(value, digits);
}

// An SVG with axes; box gives the edges of the inner part.
function axes(svg, box, x, y, { xLabel, yLabel, yText }) {
  const parts = [];
  const across = x.ticks(Math.max(2, Math.floor((box.right - box.left) / 90)));
  const up = y.ticks(Math.max(2, Math.floor((box.bottom - box.top) / 45)));
  for (const value of up) {
    const place = y(value);
    parts.push(shape("line", { class: "gridline", x1: box.left, x2: box.right, y1: place, y2: place }));
    parts.push(
      shape(
        "text",
        { x: box.left - 8, y: place + 4, "text-anchor": "end" },
        yText ? yText(value) : tickText(value, up),
      ),
    );
  }
  for (const value of across) {
    const place = x(value);
    parts.push(shape("line", { class: "gridline", x1: place, x2: place, y1: box.top, y2: box.bottom }));
    parts.push(shape("text", { x: place, y: box.bottom + 17, "text-anchor": "middle" }, tickText(value, across)));
  }
  parts.push(shape("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }));
  parts.push(shape("text", { x: box.right, y: box.bottom + 34, "text-anchor": "end" }, xLabel));
  parts.push(shape("text", { x: box.left - 8, y: box.top - 9, "text-anchor": "start" }, yLabel));
  svg.replaceChildren(...parts);
}

// A line of numbers [x, y] in turn, as a path of steps.
function steps(points, x, y) {
  return points
    .map(([at, value], place) =>
      place ? `H${x(at).toFixed(1)}V${y(value).toFixed(1)}` : `M${x(at).toFixed(1)} ${y(value).toFixed(1)}`,
    )
    .join("");
}

function sized(svg) {
  const { width, height } = svg.getBoundingClientRect();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { width, height };
}

// --- the tip beside the pointer

function showTip(event, text) {
  const tip = byId("tip");
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${bounded(event.clientX + 14, 4, Math.max(4, innerWidth - width - 4))}px`;
  const below = event.clientY + 16;
  tip.style.top = `${below + height > innerHeight ? Math.max(4, event.clientY - height - 12) : below}px`;
}

function hideTip() {
  byId("tip").hidden = true;
}

// --- drawing again when something changes

const drawings = [];

function drawnAgain(draw) {
  drawings.push(draw);
}

function drawAll() {
  for (const draw of drawings) draw();
}
