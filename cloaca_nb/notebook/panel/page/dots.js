// --- a graph of dots: a canvas, as a browser lays out the whole of an SVG when one of its thousand shapes changes ---

const MOST_PIXELS = 16_000_000; // what every browser gives a canvas
const RIM = 2; // around a dot, for its outline
const FAINT = 0.18; // what the reader filters out
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
  part.stamps = stampsOf(part.styles, Object.keys(part.run.graph.looks), part.run.graph.tasks[0].box, part.scale);
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

function paintDots({ run, canvas, behind, styles, stamps, scale, touching, lit, shown }) {
  if (!scale) return;
  const { width, height, tasks } = run.graph;
  const pen = canvas.getContext("2d");
  const ink = { strokeStyle: styles[""].ink, lineWidth: 2 };
  pen.clearRect(0, 0, width, height);
  pen.drawImage(behind, 0, 0, width, height);
  if (lit !== null) strokeEdges(Object.assign(pen, ink), touching[lit].flat());
  const isOut = new Set(shown.length < tasks.length ? run.rows.keys() : []);
  if (isOut.size) for (const number of shown) isOut.delete(number);
  tasks.forEach(({ box: [x, y, wide, high] }, number) => {
    pen.globalAlpha = isOut.has(number) ? FAINT : 1;
    pen.drawImage(stamps.get(run.rows[number].state), x - RIM, y - RIM, wide + 2 * RIM, high + 2 * RIM);
  });
  pen.globalAlpha = 1;
  for (const number of [lit, run.chosen]) if (number !== null) outline(Object.assign(pen, ink), tasks[number].box);
}

/** A dot of each state, painted once: a thousand outlines in each frame are what a processor paints slowly. */
function stampsOf(styles, states, [, , wide, high], scale) {
  return new Map(states.map((state) => [state, stampOf(styles[state], wide, high, scale)]));
}

function stampOf({ fill, stroke, width: lineWidth, round }, wide, high, scale) {
  const size = (length) => Math.ceil((length + 2 * RIM) * scale);
  const stamp = make("canvas", { width: size(wide), height: size(high) });
  const pen = Object.assign(stamp.getContext("2d"), { fillStyle: fill, strokeStyle: stroke, lineWidth });
  pen.scale(stamp.width / (wide + 2 * RIM), stamp.height / (high + 2 * RIM));
  pen.roundRect(RIM, RIM, wide, high, round);
  pen.fill();
  pen.stroke();
  return stamp;
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
