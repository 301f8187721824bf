// Set everything up once, and draw it again when the window or its colours change.

setUpRange();
setUpCurves();
setUpBeliefs();
setUpTraffic();
setUpMessages();
setUpRing();
setRange(0, DURATION);

let waiting = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(drawAll);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
