// --- a graph of dots: a canvas, as a browser lays out the whole of an SVG when one of its thousand shapes changes ---

const MOST_PIXELS = 16_000_000; // what every browser gives a canvas
const REACH = 0.7; // of its width: so far from its centre a dot is hit

function dotsOf(run) {
  const { width, height, edges, looks } = run.graph;
  const canvas = make("canvas", { style: `width: ${width}px; aspect-ratio: ${width} / ${height}` });
  const part = { run, canvas, behind: make("canvas"), width: 0, pixels: 0, lit: null, shown: [] };
  part.paths = edges.map(({ path, inferred }) => ({ path: new Path2D(path), inferred }));
  part.touching = edgesByTask(run.graph, part.paths);
  part.styles = stylesOf(Object.keys(looks), () => fitDots(part));
  const resized = new ResizeObserver(([{ contentRect }]) => fitDots(Object.assign(part, { width: contentRect.width })));
  const onZoom = () => part.pixels !== devicePixelRatio && fitDots(part);
  resized.observe(canvas);
  window.addEventListener("resize", onZoom);
  return {
    picture: make("div", { class: "dots" }, canvas, part.styles.element),
    show: (_, shown) => paintDots(Object.assign(part, { shown })),
    tell: () => {}, // there is no room for a time
    light: (number) => lightDot(part, number),
    taskAt: (event) => dotAt(part, event),
    end: () => {
      resized.disconnect();
      window.removeEventListener("resize", onZoom);
    },
  };
}

/** How each state looks as the style sheet says, in whatever theme: asked of elements that nobody sees. */
function stylesOf(states, onChange) {
  const probes = new Map(states.map((state) => [state, make("i", { class: "dot", "data-state": state })]));
  probes.set("", make("i", { class: "edge" }));
  const element = make("div", { class: "styles", "aria-hidden": "true" }, ...probes.values());
  element.addEventListener("transitionend", onChange); // of a colour, when the theme has changed
  const styles = { element };
  styles.read = () => {
    for (const [state, probe] of probes) {
      const { fill, stroke, strokeWidth, rx, color } = getComputedStyle(probe);
      styles[state] = { fill, stroke, width: parseFloat(strokeWidth), round: parseFloat(rx), ink: color };
    }
  };
  return styles;
}

/** Take over how large the canvas is and which colours hold, and paint everything anew. */
function fitDots(part) {
  const { width, height } = part.run.graph;
  if (!part.width) return; // it isn't displayed
  part.pixels = devicePixelRatio;
  part.scale = Math.min((part.width * part.pixels) / width, Math.sqrt(MOST_PIXELS / (width * height)));
  part.styles.read();
  for (const one of [part.canvas, part.behind]) {
    Object.assign(one, { width: Math.round(width * part.scale), height: Math.round(height * part.scale) });
    one.getContext("2d").scale(part.scale, part.scale);
  }
  const { stroke, width: lineWidth } = part.styles[""];
  const pen = Object.assign(part.behind.getContext("2d"), { strokeStyle: stroke, lineWidth, globalAlpha: 0.25 });
  strokeEdges(pen, part.paths);
  paintDots(part);
}

function strokeEdges(pen, edges) {
  for (const { path, inferred } of edges) {
    pen.setLineDash(inferred ? [5, 4] : []);
    pen.stroke(path);
  }
  pen.setLineDash([]);
}

function paintDots({ run, canvas, behind, styles, scale, touching, lit, shown }) {
  if (!scale) return;
  const { width, height, tasks } = run.graph;
  const pen = canvas.getContext("2d");
  const ink = { strokeStyle: styles[""].ink, lineWidth: 2 };
  pen.clearRect(0, 0, width, height);
  pen.drawImage(behind, 0, 0, width, height);
  if (lit !== null) strokeEdges(Object.assign(pen, ink), touching[lit].flat());
  const isOut = new Set(shown.length < tasks.length ? run.rows.keys() : []);
  if (isOut.size) for (const number of shown) isOut.delete(number);
  const [clear, faint] = [new Map(), new Map()]; // paths by state; faint is what the reader filters out
  tasks.forEach(({ box: [x, y, wide, high] }, number) => {
    const { state } = run.rows[number];
    const paths = isOut.has(number) ? faint : clear;
    if (!paths.has(state)) paths.set(state, new Path2D());
    paths.get(state).roundRect(x, y, wide, high, styles[state].round);
  });
  fillDots(Object.assign(pen, { globalAlpha: 0.18 }), faint, styles);
  fillDots(Object.assign(pen, { globalAlpha: 1 }), clear, styles);
  for (const number of [lit, run.chosen]) if (number !== null) outline(Object.assign(pen, ink), tasks[number].box);
}

function fillDots(pen, paths, styles) {
  for (const [state, path] of paths) {
    const { fill, stroke, width } = styles[state];
    Object.assign(pen, { fillStyle: fill, strokeStyle: stroke, lineWidth: width });
    pen.fill(path);
    pen.stroke(path);
  }
}

function outline(pen, [x, y, wide, high]) {
  pen.beginPath();
  pen.roundRect(x - 1.5, y - 1.5, wide + 3, high + 3, wide / 2 + 1.5);
  pen.stroke();
}

/** Make one task easy to find: its dot, and the edges that touch it. */
function lightDot(part, number) {
  part.lit = number;
  part.canvas.title = number === null ? "" : titleOf(part.run, number);
  paintDots(part);
}

function dotAt({ run, width }, { offsetX, offsetY }) {
  const scale = run.graph.width / width;
  const isHit = ([x, y, wide, high]) => Math.max(Math.abs(offsetX * scale - x - wide / 2), Math.abs(offsetY * scale - y - high / 2)) <= REACH * wide;
  const found = run.graph.tasks.findIndex(({ box }) => isHit(box));
  return found < 0 ? null : found;
}
