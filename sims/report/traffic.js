// Traffic: the mean of all nodes and the busiest ones as curves, every node as a row of heat.

const BUSIEST = 3;

function setUpTraffic() {
  const [unit, svg, canvas, readout] = ["traffic-unit", "traffic-chart", "traffic-picture", "traffic-readout"].map(
    byId,
  );
  const { width } = data.traffic;
  const spans = data.traffic.otherBytes.length;
  const endOf = (span) => (span === spans - 1 ? DURATION : (span + 1) * width);
  const lengths = Array.from({ length: spans }, (_, span) => Math.max(1, endOf(span) - span * width) / TICKS);
  const sum = (row) => row.reduce((total, value) => total + value, 0);
  const all = (rows, others) => sum(rows.map(sum)) + sum(others);
  const datagrams = all(data.traffic.datagrams, data.traffic.otherDatagrams);
  const bytes = all(data.traffic.bytes, data.traffic.otherBytes);
  byId("traffic-total").textContent = `In all ${grouped(datagrams)} datagrams with ${grouped(bytes)} bytes.`;

  // Seconds for which processes ran in each span.
  const running = Array.from({ length: spans }, (_, span) => {
    const from = span * width;
    const to = endOf(span);
    return (
      processes.reduce(
        (total, { began, ended }) => total + Math.max(0, Math.min(ended, to) - Math.max(began, from)),
        0,
      ) / TICKS
    );
  });
  let rows = [];
  let most = 1;

  const rate = (lane, span) => (rows[lane] ? rows[lane][span] / lengths[span] : 0);
  const shownUnit = () => `${unit.value}/s`;

  function fill(put) {
    data.keys.forEach((_, lane) => {
      for (let span = 0; span < spans; span += 1) {
        const value = rate(lane, span);
        if (value > 0) put(lane, span * width, endOf(span), 1 + Math.round(Math.sqrt(value / most) * 200));
      }
    });
  }

  function describe(lane, time) {
    const span = bounded(Math.floor(time / width), 0, spans - 1);
    return `${labelled(data.keys[lane])} from ${seconds(span * width)} to ${seconds(endOf(span))}: ${figure(rate(lane, span))} ${shownUnit()}`;
  }

  const grid = new Grid(canvas, readout, { fill, paint: (rank) => heat(rank / 201), describe });

  function curves() {
    const mean = running.map((ran, span) => (ran > 0 ? rows.reduce((total, row) => total + row[span], 0) / ran : 0));
    const busiest = rows
      .map((row, lane) => [sum(row), lane])
      .sort((one, other) => other[0] - one[0])
      .slice(0, BUSIEST);
    const named = busiest.map(([, lane], place) => ({
      name: data.keys[lane],
      values: lengths.map((_, span) => rate(lane, span)),
      look: { stroke: `var(--c${place + 1})`, "stroke-dasharray": DASHES[place + 1], "stroke-width": 1.6 },
    }));
    return [
      ...named,
      { name: "mean per running node", values: mean, look: { stroke: "var(--ink)", "stroke-width": 2.6 } },
    ];
  }

  function drawChart() {
    const { width: wide, height } = sized(svg);
    const box = { left: MARGIN.left, right: wide - MARGIN.right, top: 26, bottom: height - 26 };
    const x = linear(range.from / TICKS, range.to / TICKS, box.left, box.right);
    const lines = curves();
    const seen = lengths.map((_, span) => span).filter((span) => endOf(span) > range.from && span * width < range.to);
    const y = linear(
      0,
      Math.max(1e-9, ...lines.flatMap((line) => seen.map((span) => line.values[span]))) * 1.05,
      box.bottom,
      box.top,
    );
    axes(svg, box, x, y, { xLabel: "", yLabel: `${unit.value} per node and second`, yText: null });
    for (const { name, values, look } of lines) {
      const points = seen.map((span) => [Math.max(range.from, span * width) / TICKS, values[span]]);
      svg.append(
        shape("path", {
          class: "curve",
          "data-name": name,
          d: `${steps(points, x, y)}H${x(Math.min(range.to, endOf(seen[seen.length - 1])) / TICKS)}`,
          ...look,
        }),
      );
    }
    byId("traffic-legend").replaceChildren(
      ...lines
        .reverse()
        .map(({ name, look }) =>
          element(
            "li",
            {},
            shape(
              "svg",
              { width: 26, height: 14, "aria-hidden": "true" },
              shape("line", { x1: 0, x2: 26, y1: 7, y2: 7, ...look }),
            ),
            name,
          ),
        ),
    );
    svg.onpointermove = (event) => {
      const time = x.invert(bounded(event.clientX - svg.getBoundingClientRect().left, box.left, box.right)) * TICKS;
      const span = bounded(Math.floor(time / width), 0, spans - 1);
      showTip(
        event,
        [
          seconds(span * width),
          ...lines.map(({ name, values }) => `${name}: ${figure(values[span])} ${shownUnit()}`),
        ].join("\n"),
      );
    };
    svg.onpointerleave = hideTip;
  }

  function draw() {
    rows = data.traffic[unit.value];
    most = rows.reduce(
      (highest, row, lane) => row.reduce((value, _, span) => Math.max(value, rate(lane, span)), highest),
      1e-9,
    );
    canvas.setAttribute("aria-label", `Nodes and time: ${unit.value} per second that each node sent`);
    byId("traffic-scale").replaceChildren(ramp(["0", `${figure(most)} ${shownUnit()}`]));
    drawChart();
    grid.draw();
  }

  unit.onchange = draw;
  drawnAgain(draw);
  draw();
}
