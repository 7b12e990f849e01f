// --- a view of a run ---

const [CLOCK, CLOCK_OF_MANY, CALM_CLOCK] = [100, 250, 1000]; // ms after which clocks advance, if nothing else was painted

/** Let the eye find a task in graph and list when it is pointed at in one of them. */
function lightUp(root, { graph, tasks }) {
  let lit = null;
  const light = (number) => {
    if (number === lit) return;
    lit = number;
    graph.light(number);
    graph.element.toggleAttribute("data-hit", number !== null);
    lightRow(tasks, number);
  };
  graph.picture.addEventListener("pointermove", (event) => light(graph.taskAt(event)));
  graph.picture.addEventListener("pointerleave", () => light(null));
  tasks.list.addEventListener("pointerover", (event) => light(numberOf(event)));
  root.addEventListener("pointerleave", () => light(null));
}

/** Go on where the reader was in a view that is no more, and note where the reader is in this one. */
function takeOver(root, { list, filter }, run) {
  const holds = { list, filter };
  list.scrollTop = run.top;
  if (run.held && document.activeElement === document.body) holds[run.held].focus({ preventScroll: true });
  const note = () => {
    if (root.isConnected) run.held = Object.keys(holds).find((name) => holds[name] === document.activeElement) ?? null;
  };
  for (const turn of ["focusin", "focusout"]) root.addEventListener(turn, () => queueMicrotask(note));
}

/** Draw a run into an element, keep it up to date, and return what ends that. */
function view(run, host) {
  const part = { head: header(run), graph: graphOf(run), tasks: tasksOf(run), chosen: chosenOf(run) };
  const label = `Run of ${run.graph.name}`;
  const root = make("section", { class: "cloaca-panel", "aria-label": label, "data-run": run.graph.key });
  const split = make("div", { class: "split" }, part.tasks.element, part.chosen.element);
  root.append(part.head.element, part.graph.element, split);
  root.toggleAttribute("data-many", run.graph.compact);
  root.style.setProperty("--longest", `${longest(run.graph.tasks)}ch`);
  const late = new Set(run.rows.keys()); // the numbers of the tasks that the next painting shows anew
  const going = new Set(); // of those whose time is to be written in the graph
  const follow = follower(part.tasks, run);
  let frame = 0;
  let painted = 0; // when, in ms
  const paint = () => {
    frame = 0;
    painted = performance.now();
    for (const number of late) going.add(number);
    showRun(root, part, run, late, follow);
    tick(part, run, going);
    late.clear();
  };
  const show = (numbers) => {
    for (const number of numbers) late.add(number);
    frame ||= requestAnimationFrame(paint); // however many messages come before it
  };
  const onKey = keysOf(root, part.tasks, run);
  const clock = calm() ? CALM_CLOCK : run.graph.compact ? CLOCK_OF_MANY : CLOCK;
  const isQuiet = () => !frame && performance.now() - painted > clock / 2;
  const timer = setInterval(() => isQuiet() && !run.state.ended && root.isConnected && tick(part, run, going), clock);
  run.views.add(show);
  window.addEventListener("keydown", onKey, true);
  lightUp(root, part);
  host.append(root);
  paint();
  takeOver(root, part.tasks, run);
  return () => {
    clearInterval(timer);
    cancelAnimationFrame(frame);
    run.views.delete(show);
    window.removeEventListener("keydown", onKey, true);
    part.graph.end();
    part.tasks.end();
    root.remove();
  };
}

/** Show what has changed: in some tasks, in the run, or in what the reader looks at. */
function showRun(root, part, run, numbers, follow) {
  mark(root, "data-run-status", run.state.status);
  root.toggleAttribute("data-open", run.chosen !== null);
  root.toggleAttribute("data-usual", Object.keys(run.usual).length > 0);
  updateTasks(part.tasks, run, follow);
  updateHeader(part.head, run);
  part.graph.show(numbers, part.tasks.shown);
  updateChosen(part.chosen, run);
  if (part.revealed !== run.chosen) reveal(part.tasks, run.chosen);
  part.revealed = run.chosen;
}

/** Advance every clock. */
function tick(part, run, going) {
  const now = nowOf(run);
  write(part.head.time, ticking({ started: 0, ended: run.state.ended ? now : null }, now));
  advance(part.tasks, run, now);
  advanceChosen(part.chosen, run);
  for (const number of going) {
    const row = run.rows[number];
    part.graph.tell(number, timeOf(row, now));
    if (row.ended !== null || row.started === null) going.delete(number);
  }
}
