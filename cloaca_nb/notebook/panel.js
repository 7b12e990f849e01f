// The live panel of one run. The kernel sends `graph` once and `state` as it changes; this page draws them and counts
// the time of running tasks itself. Text from the kernel only ever becomes text nodes and attributes.

const SVG = "http://www.w3.org/2000/svg";
const ENDED = ["Completed", "Taken", "Failed", "Skipped", "Cancelled"];
const COUNTED = ["Completed", "Taken", "Failed", "Skipped", "Cancelled", "Running", "Retrying", "Waiting"];
const PATIENCE = 1000; // ms for the kernel to answer a click
const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// --- what the kernel has said so far; it outlives the views of it ---

const runs = new Map();

function runOf(model) {
  const graph = model.get("graph");
  if (!runs.has(graph.key)) runs.set(graph.key, newRun(graph));
  const run = runs.get(graph.key);
  if (!run.told) takeIn(run, model.get("state"));
  return run;
}

function newRun(graph) {
  const rows = graph.tasks.map((_, number) => rowFrom([number, "Waiting", null, null, 0, null, ""]));
  return { graph, rows, told: false, offset: Infinity, state: null };
}

function rowFrom([number, state, started, ended, attempts, share, note]) {
  return { number, state, started, ended, attempts, share, note };
}

/** Merge a message into what is known, and return the numbers of the tasks in it. */
function takeIn(run, state) {
  for (const row of state.rows) run.rows[row[0]] = rowFrom(row);
  // The message that was quickest on its way tells the kernel's clock best; so time never runs backwards.
  if (state.now > 0) run.offset = Math.min(run.offset, performance.now() / 1000 - state.now);
  Object.assign(run, { state, told: true });
  return state.rows.map((row) => row[0]);
}

function nowOf(run) {
  if (run.state.ended || run.offset === Infinity) return run.state.now;
  return Math.max(performance.now() / 1000 - run.offset, run.state.now);
}

// --- words ---

function duration(seconds) {
  if (seconds === null) return "";
  const milliseconds = Math.round(Math.max(seconds, 0) * 1000);
  if (milliseconds < 1) return "< 1 ms";
  if (milliseconds < 1000) return `${milliseconds} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
}

function elapsed(row, now) {
  return row.started === null ? null : (row.ended ?? now) - row.started;
}

/** The time that a running task shows: in tenths from the start, so that the digits don't flicker. */
function ticking(row, now) {
  const seconds = elapsed(row, now);
  const counting = seconds !== null && row.ended === null && seconds < 59.95;
  return counting ? `${Math.max(seconds, 0).toFixed(1)} s` : duration(seconds);
}

// --- elements ---

function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function icon(attributes = {}) {
  const sign = draw("path", { class: "sign" });
  const disc = draw("circle", { class: "disc", cx: 8, cy: 8, r: 7 });
  const arc = draw("circle", { class: "arc", cx: 8, cy: 8, r: 7, pathLength: 100 });
  return draw("svg", { class: "icon", viewBox: "0 0 16 16", width: 16, height: 16, ...attributes }, disc, arc, sign);
}

function setIcon(element, look) {
  element.dataset.disc = look.disc;
  element.querySelector(".sign").setAttribute("d", look.sign);
}

// --- the header ---

function header(run, onCancel) {
  const meter = { role: "progressbar", "aria-label": "Tasks that are over", "aria-valuemin": 0 };
  const part = {
    icon: icon({ "aria-hidden": "true" }),
    status: make("span", { class: "status" }),
    time: make("span", { class: "time" }),
    counts: make("span", { class: "counts" }),
    said: make("span", { class: "said", role: "status" }),
    bar: make("div", { class: "bar", ...meter }),
    cancel: make("button", { class: "cancel", type: "button" }, "Cancel"),
    segments: {},
  };
  for (const state of COUNTED.slice(0, -1)) {
    part.segments[state] = make("span", { class: "segment", "data-state": state });
    part.bar.append(part.segments[state]);
  }
  part.cancel.hidden = !run.graph.cancel;
  part.cancel.addEventListener("click", onCancel);
  const title = make("strong", { class: "title", title: run.graph.name }, run.graph.name);
  const line = make("div", { class: "line" }, part.icon, title, part.status, part.time, part.counts, part.cancel);
  return { ...part, element: make("header", {}, line, part.bar, part.said) };
}

function updateHeader(part, run) {
  const counts = Object.fromEntries(COUNTED.map((state) => [state, 0]));
  for (const row of run.rows) counts[row.state] += 1;
  const over = ENDED.reduce((sum, state) => sum + counts[state], 0);
  const total = run.rows.length;
  for (const [state, segment] of Object.entries(part.segments)) {
    segment.style.width = `${(100 * counts[state]) / total}%`;
  }
  part.bar.setAttribute("aria-valuemax", total);
  part.bar.setAttribute("aria-valuenow", over);
  setIcon(part.icon, run.graph.looks[run.state.status]);
  write(part.status, run.state.status);
  if (run.state.ended || counts.Failed) write(part.said, `${run.state.status}. ${counts.Failed} of ${total} tasks failed.`);
  const present = COUNTED.filter((state) => counts[state]);
  part.counts.replaceChildren(...present.map((state) => chip(run, state, counts[state])));
  part.cancel.disabled = run.state.cancelling || run.state.ended;
  if (!run.state.ended) write(part.cancel, run.state.cancelling ? "Cancelling…" : "Cancel");
}

function chip(run, state, count) {
  const mark = icon({ "aria-hidden": "true" });
  setIcon(mark, run.graph.looks[state]);
  const label = `${count} ${state.toLowerCase()}`;
  return make("span", { class: "chip", "data-state": state, title: label, role: "img", "aria-label": label }, mark, String(count));
}

/** Ask the kernel to cancel; a kernel that takes no messages while a cell runs is interrupted. */
function canceller(model, run, button) {
  return () => {
    button().disabled = true;
    write(button(), "Cancelling…");
    model.send({ type: "cancel" });
    setTimeout(() => {
      if (!run.state.cancelling && !run.state.ended) model.widget_manager?.kernel?.interrupt?.();
    }, PATIENCE);
  };
}

// --- the graph ---

function graphOf(graph) {
  const { width, height } = graph;
  const kind = { class: graph.compact ? "compact" : graph.slim ? "slim" : "tall", role: "img", "aria-label": `Graph of ${graph.name}` };
  const svg = draw("svg", { ...kind, viewBox: `0 0 ${width} ${height}`, width, height });
  const edges = graph.edges.map(edgeOf);
  const tasks = graph.tasks.map((task) => (graph.compact ? dot(task) : card(task, graph.slim)));
  svg.style.minWidth = `${width * (graph.compact ? 0.25 : 0.5)}px`; // smaller could not be read: then it scrolls
  svg.append(...edges, ...tasks.map((task) => task.element));
  const into = new Map(graph.tasks.map((task) => [task.id, []]));
  graph.edges.forEach((edge, number) => into.get(edge.target).push(edges[number]));
  graph.tasks.forEach((task, number) => (tasks[number].edges = into.get(task.id)));
  return { element: make("div", { class: "graph", tabindex: 0, role: "group", "aria-label": "Graph" }, svg), tasks };
}

function edgeOf({ source, target, inferred, path }) {
  return draw("path", { class: inferred ? "edge inferred" : "edge", d: path, "data-source": source, "data-target": target });
}

function place(task, ...children) {
  const [x, y] = task.box;
  return draw("g", { class: "task", "data-task-id": task.id, transform: `translate(${x} ${y})` }, ...children);
}

function dot(task) {
  const [, , width, height] = task.box;
  const title = draw("title");
  return { title, element: place(task, title, draw("rect", { class: "dot", width, height, rx: width / 2 })) };
}

/** A card; a slim one has its time beside the name, else below it. */
function card(task, slim) {
  const [, , width, height] = task.box;
  const below = { class: "note", x: 30, y: 26.5 };
  const beside = { class: "note beside", x: width - 10, y: height / 2 };
  const part = {
    title: draw("title"),
    icon: icon({ x: 9, y: height / 2 - 8 }),
    time: draw("text", slim ? beside : below),
  };
  const name = draw("text", { class: "name", x: 30, y: slim ? height / 2 : 13 }, task.label);
  const back = draw("rect", { class: "card", width, height, rx: 9 });
  return { ...part, element: place(task, part.title, back, part.icon, name, part.time) };
}

function updateTask(part, run, task, row) {
  part.element.dataset.state = row.state;
  for (const edge of part.edges) edge.dataset.state = row.state;
  write(part.title, [task.id, row.state, row.note].filter(Boolean).join(" · "));
  if (part.icon) setIcon(part.icon, run.graph.looks[row.state]);
}

// --- the list ---

function listOf(graph) {
  const rows = graph.tasks.map(rowOf);
  const label = "Tasks; elapsed time on a common time line";
  const list = make("div", { class: "list", role: "list", tabindex: 0, "aria-label": label });
  list.append(...rows.map((row) => row.element));
  return { element: list, rows };
}

function rowOf(task) {
  const part = {
    icon: icon({ role: "img" }),
    bar: make("span", { class: "run" }, make("span", { class: "share" })),
    attempts: make("span", { class: "attempts" }),
    time: make("span", { class: "time" }),
    note: make("span", { class: "note" }),
  };
  const name = make("span", { class: "name", title: task.id }, task.id);
  const track = make("span", { class: "track", "aria-hidden": "true" }, part.bar);
  const cells = [part.icon, name, part.attempts, track, part.time, part.note];
  return { ...part, element: make("div", { class: "row", role: "listitem", "data-task-id": task.id }, ...cells) };
}

function updateRow(part, run, row) {
  part.element.dataset.state = row.state;
  setIcon(part.icon, run.graph.looks[row.state]);
  part.icon.setAttribute("aria-label", row.state);
  part.bar.hidden = row.started === null;
  part.bar.style.setProperty("--from", row.started ?? 0);
  part.bar.style.setProperty("--to", row.ended ?? "var(--now)");
  part.bar.firstChild.style.width = `${100 * (row.share ?? 0)}%`;
  write(part.attempts, row.attempts > 1 ? `×${row.attempts}` : "");
  part.attempts.title = row.attempts > 1 ? `${row.attempts} attempts` : "";
  write(part.note, row.note);
  part.note.title = row.note;
}

/** Keep what runs in sight, until the reader takes over the list. */
function follower(list) {
  let led = false;
  const lead = () => (led = true);
  for (const sign of ["pointerenter", "wheel", "focus"]) list.addEventListener(sign, lead, { passive: true });
  return () => {
    const first = !led && list.querySelector('[data-state="Running"]');
    if (!first) return;
    const below = first.offsetTop - list.scrollTop;
    if (below >= 0 && below < list.clientHeight * 0.7) return;
    list.scrollTo({ top: first.offsetTop - list.clientHeight / 4, behavior: calm() ? "auto" : "smooth" });
  };
}

// --- a view ---

/** Let the eye find a task's card, row and edges when one of them is pointed at. */
function lightUp(root) {
  const light = (task) => {
    for (const lit of root.querySelectorAll("[data-lit]")) delete lit.dataset.lit;
    if (!task) return;
    const id = CSS.escape(task);
    const those = `[data-task-id="${id}"],[data-source="${id}"],[data-target="${id}"]`;
    for (const found of root.querySelectorAll(those)) found.dataset.lit = "";
  };
  root.addEventListener("pointerover", (event) => light(event.target.closest("[data-task-id]")?.dataset.taskId));
  root.addEventListener("pointerleave", () => light(null));
}

function render({ model, el }) {
  const run = runOf(model);
  const head = header(run, canceller(model, run, () => head.cancel));
  const graph = graphOf(run.graph);
  const list = listOf(run.graph);
  const root = make("section", { class: "cloaca-panel", "aria-label": `Run of ${run.graph.name}` });
  root.append(head.element, graph.element, list.element);
  const follow = follower(list.element);
  const going = new Set(); // the numbers of the tasks whose time is to be written

  const show = (numbers) => {
    root.dataset.runStatus = run.state.status;
    for (const number of numbers) {
      const row = run.rows[number];
      updateTask(graph.tasks[number], run, run.graph.tasks[number], row);
      updateRow(list.rows[number], run, row);
      going.add(number);
    }
    updateHeader(head, run);
    tick();
    follow();
  };

  /** Advance every clock: one property for all time lines, a text for each task that runs. */
  const tick = () => {
    const now = nowOf(run);
    root.style.setProperty("--now", Math.max(now, 0.001).toFixed(2));
    write(head.time, ticking({ started: 0, ended: run.state.ended ? now : null }, now));
    for (const number of going) {
      const row = run.rows[number];
      const text = ticking(row, now) || (row.state === "Waiting" ? "" : row.state.toLowerCase());
      write(list.rows[number].time, text);
      if (graph.tasks[number].time) write(graph.tasks[number].time, text);
      if (row.ended !== null || row.started === null) going.delete(number);
    }
  };

  const receive = () => show(takeIn(run, model.get("state")));
  model.on("change:state", receive);
  show(run.rows.keys());
  lightUp(root);
  el.append(root);
  const timer = setInterval(() => !run.state.ended && tick(), calm() ? 1000 : 100);
  return () => {
    clearInterval(timer);
    model.off("change:state", receive);
  };
}

/** Listen from the first message on: above some hundred tasks each holds only what has changed. */
function initialize({ model }) {
  const run = runOf(model);
  const receive = () => takeIn(run, model.get("state"));
  model.on("change:state", receive);
  return () => {
    model.off("change:state", receive);
    runs.delete(run.graph.key);
  };
}

export default { initialize, render };
