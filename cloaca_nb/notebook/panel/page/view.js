// --- a view of a run ---

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

/** Draw a run into an element, keep it up to date, and return what ends that. */
function view(run, host) {
  const part = { head: header(run), graph: graphOf(run), tasks: tasksOf(run), chosen: chosenOf(run) };
  const label = `Run of ${run.graph.name}`;
  const root = make("section", { class: "cloaca-panel", "aria-label": label, "data-run": run.graph.key });
  const split = make("div", { class: "split" }, part.tasks.element, part.chosen.element);
  root.append(part.head.element, part.graph.element, split);
  const going = new Set(run.rows.keys()); // the numbers of the tasks whose time is to be written in the graph
  const follow = follower(part.tasks, run);
  const show = (numbers) => {
    showRun(root, part, run, numbers);
    for (const number of numbers) going.add(number);
    tick(part, run, going);
    follow();
  };
  const onKey = keysOf(root, part.tasks, run);
  const resized = new ResizeObserver(() => updateSight(part.tasks, run));
  const timer = setInterval(() => !run.state.ended && root.isConnected && tick(part, run, going), calm() ? 1000 : 100);
  run.views.add(show);
  window.addEventListener("keydown", onKey, true);
  resized.observe(part.tasks.list);
  lightUp(root);
  host.append(root);
  show(run.rows.keys());
  return () => {
    clearInterval(timer);
    run.views.delete(show);
    window.removeEventListener("keydown", onKey, true);
    resized.disconnect();
    root.remove();
  };
}

/** Show what has changed: in some tasks, in the run, or in what the reader looks at. */
function showRun(root, part, run, numbers) {
  root.dataset.runStatus = run.state.status;
  root.toggleAttribute("data-open", run.chosen !== null);
  root.toggleAttribute("data-usual", Object.keys(run.usual).length > 0);
  updateGraph(part.graph, run, numbers);
  updateHeader(part.head, run);
  updateTasks(part.tasks, run);
  updateFocus(part.graph.tasks, run, part.tasks.shown);
  updateChosen(part.chosen, run);
  if (part.revealed !== run.chosen) reveal(part.tasks, run.chosen);
  part.revealed = run.chosen;
}

/** Advance every clock: one property for all time lines, a text for each task that runs. */
function tick(part, run, going) {
  const now = nowOf(run);
  part.tasks.element.style.setProperty("--now", Math.max(now, 0.001).toFixed(2)); // not on the root: all below is styled anew
  write(part.head.time, ticking({ started: 0, ended: run.state.ended ? now : null }, now));
  updateAxis(part.tasks, now);
  updateGraph(part.graph, run);
  for (const number of part.tasks.rows.keys()) updateTime(part.tasks.rows.get(number), run.rows[number], run.usual[number], now);
  for (const number of going) {
    const row = run.rows[number];
    if (part.graph.tasks[number].time) write(part.graph.tasks[number].time, timeOf(row, now));
    if (row.ended !== null || row.started === null) going.delete(number);
  }
}
