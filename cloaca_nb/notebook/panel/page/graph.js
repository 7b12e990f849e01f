// --- the graph ---

const SELDOM = 300; // ms between two paintings of a graph of many: any change has all of it painted again

function graphOf(run) {
  const { graph } = run;
  const { width, height } = graph;
  const label = `Graph of ${graph.name}; the list below has the same tasks`;
  const kind = { class: graph.compact ? "compact" : graph.slim ? "slim" : "tall", role: "img", "aria-label": label };
  const svg = draw("svg", { ...kind, viewBox: `0 0 ${width} ${height}`, width, height });
  const edges = graph.edges.map(edgeOf);
  const tasks = graph.tasks.map((task) => (graph.compact ? dot(task) : card(task, graph.slim)));
  svg.style.minWidth = `${width * (graph.compact ? 0.25 : 0.62)}px`; // smaller could not be read: then it scrolls
  svg.append(...edges, ...tasks.map((task) => task.element));
  const into = new Map(graph.tasks.map((task) => [task.id, []]));
  graph.edges.forEach((edge, place) => into.get(edge.target).push(edges[place]));
  graph.tasks.forEach((task, place) => (tasks[place].edges = into.get(task.id)));
  const numbers = new Map(graph.tasks.map((task, place) => [task.id, place]));
  svg.addEventListener("click", (event) => {
    const task = event.target.closest(".task");
    if (task) choose(run, numbers.get(task.dataset.taskId));
  });
  const element = make("div", { class: "graph", tabindex: 0, role: "group", "aria-label": "Graph" }, svg);
  return { element, tasks, late: new Set(), painted: -Infinity };
}

/** Show what has changed in some tasks; in a graph of many perhaps a moment later, with what changes until then. */
function updateGraph(part, run, numbers = []) {
  for (const number of numbers) part.late.add(number);
  const now = performance.now();
  if (run.graph.compact && !run.state.ended && now - part.painted < SELDOM) return;
  part.painted = now;
  for (const number of part.late) updateTask(part.tasks[number], run, run.graph.tasks[number], run.rows[number]);
  part.late.clear();
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

/** Mark the chosen task, and step the others back that the reader filters out. */
function updateFocus(tasks, run, shown) {
  const isShown = shown.length < tasks.length ? new Set(shown) : null;
  tasks.forEach(({ element }, place) => {
    element.toggleAttribute("data-out", isShown !== null && !isShown.has(place));
    element.toggleAttribute("data-chosen", run.chosen === place);
  });
}
