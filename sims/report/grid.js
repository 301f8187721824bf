// A picture of rows and time on a canvas: a row for each node, several nodes to a row where there are too many.
// If several things fall into one point, it shows the highest rank, so that nothing short or rare is lost.

const MAX_ROWS = 560; // pixels: the picture fits on a laptop's screen
const MANY_NOTES = 30; // more lines would hide the picture
const MARGIN = { left: 64, right: 10, top: 22, bottom: 26 };

// The span of time that is shown, in ticks; the pictures share it.
const range = { from: 0, to: DURATION };

function setRange(from, to) {
  const least = Math.min(DURATION, 10);
  range.from = bounded(Math.round(Math.min(from, to)), 0, DURATION - least);
  range.to = bounded(Math.round(Math.max(from, to)), range.from + least, DURATION);
  byId("range-from").value = (range.from / TICKS).toFixed(3);
  byId("range-to").value = (range.to / TICKS).toFixed(3);
  drawAll();
}

function rowHeight(lanes) {
  if (lanes <= 16) return 22;
  return lanes <= 40 ? 14 : Math.max(1, Math.floor(MAX_ROWS / lanes));
}

class Grid {
  // fill(put, scale) calls put(lane, from, to, rank); paint(rank) gives [red, green, blue]; describe(lane, time) words a point.
  constructor(canvas, readout, { fill, paint, describe }) {
    Object.assign(this, { canvas, readout, fill, paint, describe, lane: 0, time: null });
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", hideTip);
    canvas.addEventListener("pointerdown", (event) => this.beginDrag(event));
    canvas.addEventListener("pointerup", (event) => this.endDrag(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.move(null));
  }

  draw() {
    const lanes = data.keys.length;
    const ratio = devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.rows = Math.min(lanes, MAX_ROWS);
    this.tall = this.rows * rowHeight(lanes);
    this.canvas.style.height = `${this.tall + MARGIN.top + MARGIN.bottom}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round((this.tall + MARGIN.top + MARGIN.bottom) * ratio);
    this.x = linear(range.from, range.to, MARGIN.left, this.width - MARGIN.right);
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    this.drawCells(context, ratio);
    this.drawAxis(context);
    this.drawNotes(context);
    if (this.time !== null) this.drawCursor(context);
  }

  drawCells(context, ratio) {
    const lanes = data.keys.length;
    const wide = Math.max(1, Math.round((this.width - MARGIN.left - MARGIN.right) * ratio));
    const ranks = new Uint16Array(wide * this.rows);
    const place = linear(range.from, range.to, 0, wide);
    this.fill((lane, from, to, rank) => {
      if (to < range.from || from > range.to) return;
      const row = Math.floor((lane * this.rows) / lanes) * wide;
      const begin = bounded(Math.floor(place(from)), 0, wide - 1);
      const end = bounded(Math.floor(place(to)), begin + 1, wide);
      for (let at = row + begin; at < row + end; at += 1) if (ranks[at] < rank) ranks[at] = rank;
    });
    const image = new ImageData(wide, this.rows);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = new Map();
    for (let at = 0; at < ranks.length; at += 1) {
      let packed = colours.get(ranks[at]);
      if (packed === undefined) {
        const [red, green, blue] = this.paint(ranks[at]);
        packed = (255 << 24) | (blue << 16) | (green << 8) | red;
        colours.set(ranks[at], packed);
      }
      pixels[at] = packed;
    }
    const sheet = element("canvas");
    sheet.width = wide;
    sheet.height = this.rows;
    sheet.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(sheet, MARGIN.left, MARGIN.top, this.width - MARGIN.left - MARGIN.right, this.tall);
  }

  drawAxis(context) {
    const lanes = data.keys.length;
    const bottom = MARGIN.top + this.tall;
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = colour("soft");
    context.textBaseline = "middle";
    context.textAlign = "right";
    const every = Math.ceil((lanes * 13) / this.tall);
    for (let lane = 0; lane < lanes; lane += every)
      context.fillText(clipped(context, labelled(data.keys[lane]), MARGIN.left - 12), MARGIN.left - 7, this.y(lane));
    if (rowHeight(lanes) > 5) {
      context.fillStyle = colour("panel");
      for (let lane = 1; lane < lanes; lane += 1)
        context.fillRect(MARGIN.left, MARGIN.top + lane * rowHeight(lanes) - 0.5, this.width, 1);
    }
    context.fillStyle = colour("soft");
    context.textAlign = "center";
    const ticks = niceTicks(range.from / TICKS, range.to / TICKS, Math.floor(this.width / 100));
    for (const value of ticks) {
      const place = this.x(value * TICKS);
      context.fillRect(place, bottom, 1, 4);
      context.fillText(
        `${tickText(value, ticks)}${value === ticks[ticks.length - 1] ? " s" : ""}`,
        bounded(place, MARGIN.left, this.width - 18),
        bottom + 15,
      );
    }
  }

  drawNotes(context) {
    context.fillStyle = colour("ink");
    context.strokeStyle = colour("ink");
    const faint = data.notes.length > MANY_NOTES ? 0.12 : 0.35;
    for (const [time, text] of data.notes) {
      if (time < range.from || time > range.to) continue;
      const place = this.x(time);
      context.globalAlpha = 1;
      context.beginPath();
      context.moveTo(place - 5, MARGIN.top - 11);
      context.lineTo(place + 5, MARGIN.top - 11);
      context.lineTo(place, MARGIN.top - 2);
      context.closePath();
      if (text.startsWith("end ")) context.stroke();
      else context.fill();
      context.globalAlpha = faint;
      context.fillRect(place - 0.5, MARGIN.top - 2, 1, this.tall + 2);
    }
    context.globalAlpha = 1;
  }

  drawCursor(context) {
    context.fillStyle = colour("ink");
    context.fillRect(this.x(this.time), MARGIN.top, 1, this.tall);
    context.fillRect(MARGIN.left, this.y(this.lane), this.width - MARGIN.left - MARGIN.right, 1);
  }

  y(lane) {
    return MARGIN.top + ((lane + 0.5) / data.keys.length) * this.tall;
  }

  at(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    const place = bounded(event.clientX - left, MARGIN.left, this.width - MARGIN.right);
    const down = (event.clientY - top - MARGIN.top) / this.tall;
    return {
      time: this.x.invert(place),
      lane: bounded(Math.floor(down * data.keys.length), 0, data.keys.length - 1),
      place,
      isAbove: down < 0,
    };
  }

  point(event) {
    const { time, lane, place, isAbove } = this.at(event);
    const near = data.notes
      .filter(([at]) => Math.abs(this.x(at) - place) < 6)
      .slice(0, 6)
      .map(([at, text]) => `${seconds(at)}: ${text}`);
    const lines = isAbove ? near : [this.describe(lane, time), ...near];
    if (lines.length) showTip(event, lines.join("\n"));
    else hideTip();
  }

  beginDrag(event) {
    this.dragged = this.at(event);
    this.canvas.setPointerCapture(event.pointerId);
  }

  endDrag(event) {
    const { time, place } = this.at(event);
    if (this.dragged && Math.abs(place - this.dragged.place) > 6) setRange(this.dragged.time, time);
    this.dragged = null;
  }

  key(event) {
    const step = (range.to - range.from) / 100;
    const moves = { ArrowLeft: [0, -step], ArrowRight: [0, step], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const lane = bounded(this.lane + (this.time === null ? 0 : move[0]), 0, data.keys.length - 1);
    this.move(bounded((this.time ?? range.from) + move[1], range.from, range.to), lane);
  }

  move(time, lane = this.lane) {
    if (time === null && this.time === null) return;
    Object.assign(this, { time, lane });
    this.draw();
    this.readout.textContent = time === null ? "" : this.describe(lane, time);
  }
}

function clipped(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

function rgb(text) {
  const number = parseInt(text.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

// From the lowest colour of heat to the highest; share is from 0 to 1.
function heat(share) {
  const [low, high] = ["heat-0", "heat-1"].map((name) => colour(name).split(" ").map(Number));
  return low.map((part, at) => Math.round(part + (high[at] - part) * share));
}

function ramp(texts) {
  const shades = Array.from({ length: 8 }, (_, place) => {
    const shade = element("span");
    shade.style.background = `rgb(${heat(place / 7).join(" ")})`;
    return shade;
  });
  return element("li", {}, texts[0], element("span", { class: "ramp", "aria-hidden": "true" }, ...shades), texts[1]);
}

function setUpRange() {
  const [from, to] = ["range-from", "range-to"].map(byId);
  from.onchange = to.onchange = () => setRange(from.value * TICKS, to.value * TICKS);
  byId("range-all").onclick = () => setRange(0, DURATION);
}
