// --- the list of tasks: only the rows in sight exist, so it takes any number ---

const ROW = 28; // px
const MARGIN = 6; // rows beyond the edges
const FEW = 12; // tasks that need no field to filter them by

function tasksOf(run) {
  const part = {
    filter: make("input", { type: "search", placeholder: "Filter tasks", "aria-label": "Filter tasks by text", "aria-keyshortcuts": "/" }),
    found: make("span", { class: "found" }),
    axis: make("span", { class: "axis" }),
    all: make("div", { class: "all", role: "presentation" }),
    empty: make("div", { class: "empty" }, "No task is like that."),
    rows: new Map(), // those in sight, by number
    spare: [],
    shown: [],
  };
  part.list = make("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": "Tasks" }, part.all, part.empty);
  const clear = button("clear", "Show all", () => showAll(run, part));
  const tools = make("div", { class: "tools" }, make("label", { class: "field" }, part.filter, make("span", { class: "key", "aria-hidden": "true" }, "/")), part.found, clear);
  const names = ["", "Task", "", part.axis, "Elapsed", "Usually", "Notes"];
  const heads = make("div", { class: "heads", "aria-hidden": "true" }, ...names.map((name) => (name.tagName ? name : make("span", {}, name))));
  part.tools = tools;
  part.clear = clear;
  part.filter.addEventListener("input", () => {
    run.text = part.filter.value;
    tell(run);
  });
  part.list.addEventListener("scroll", () => updateSight(part, run), { passive: true });
  part.list.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (row) choose(run, Number(row.dataset.number));
  });
  return Object.assign(part, { element: make("div", { class: "tasks" }, tools, heads, part.list) });
}

function showAll(run, part) {
  run.text = part.filter.value = "";
  run.states.clear();
  tell(run);
}

/** Take over which tasks are wanted, and how far the rows in sight are. */
function updateTasks(part, run) {
  const all = run.rows.length;
  const isFiltered = Boolean(run.text.trim() || run.states.size);
  part.shown = wanted(run);
  part.tools.hidden = all <= FEW && !isFiltered && part.filter !== document.activeElement;
  part.clear.hidden = !isFiltered;
  write(part.found, isFiltered ? `${part.shown.length.toLocaleString("en")} of ${number(all, "task")}` : number(all, "task"));
  if (part.filter.value !== run.text) part.filter.value = run.text;
  part.empty.hidden = part.shown.length > 0;
  part.all.style.height = `${part.shown.length * ROW}px`;
  updateSight(part, run);
}

function updateSight(part, run) {
  const first = Math.max(Math.floor(part.list.scrollTop / ROW) - MARGIN, 0);
  const height = part.list.clientHeight || 15 * ROW;
  const last = Math.min(Math.ceil((part.list.scrollTop + height) / ROW) + MARGIN, part.shown.length);
  const inSight = new Map();
  for (let place = first; place < last; place += 1) inSight.set(part.shown[place], place);
  for (const [number, row] of part.rows) {
    if (inSight.has(number)) continue;
    row.element.remove();
    part.spare.push(row);
    part.rows.delete(number);
  }
  for (const [number, place] of inSight) updateRow(rowOf(part, run, number), run, number, place, part.shown.length);
  const cursor = part.rows.get(run.cursor);
  if (cursor) mark(part.list, "aria-activedescendant", cursor.element.id);
  else part.list.removeAttribute("aria-activedescendant");
}

function rowOf(part, run, number) {
  if (part.rows.has(number)) return part.rows.get(number);
  const row = part.spare.pop() ?? newRow();
  const { id } = run.graph.tasks[number];
  Object.assign(row.element.dataset, { number, taskId: id });
  row.element.id = `${run.graph.key}-${number}`;
  write(row.name, id);
  row.name.title = id;
  part.rows.set(number, row);
  part.all.append(row.element);
  return row;
}

function newRow() {
  const part = {
    icon: icon({ "aria-hidden": "true" }),
    name: make("span", { class: "name" }),
    ghost: make("span", { class: "ghost" }),
    bar: make("span", { class: "run" }, make("span", { class: "share" })),
    attempts: make("span", { class: "attempts" }),
    time: make("span", { class: "time" }),
    usual: make("span", { class: "usual" }),
    note: make("span", { class: "note" }),
  };
  const track = make("span", { class: "track", "aria-hidden": "true" }, part.ghost, part.bar);
  const cells = [part.icon, part.name, part.attempts, track, part.time, part.usual, part.note];
  return { ...part, element: make("div", { class: "row", role: "option" }, ...cells) };
}

function updateRow(part, run, number, place, count) {
  const row = run.rows[number];
  const usual = run.usual[number];
  const { element } = part;
  element.dataset.state = row.state;
  element.style.transform = `translateY(${place * ROW}px)`;
  mark(element, "aria-posinset", String(place + 1));
  mark(element, "aria-setsize", String(count));
  mark(element, "aria-selected", String(run.chosen === number));
  element.toggleAttribute("data-cursor", run.cursor === number);
  setIcon(part.icon, run.graph.looks[row.state]);
  updateTrack(part, row, usual);
  write(part.attempts, row.attempts > 1 ? `×${row.attempts}` : "");
  part.attempts.title = row.attempts > 1 ? `${row.attempts} attempts` : "";
  write(part.usual, usual === undefined ? "" : duration(usual));
  write(part.note, row.note);
  part.note.title = row.note;
  const said = [run.graph.tasks[number].id, row.state, row.ended === null ? "" : duration(elapsed(row, row.ended)), row.note];
  mark(element, "aria-label", said.filter(Boolean).join(", "));
  updateTime(part, row, usual, nowOf(run));
}

function updateTrack(part, row, usual) {
  part.bar.hidden = row.started === null;
  part.bar.style.setProperty("--from", row.started ?? 0);
  part.bar.style.setProperty("--to", row.ended ?? "var(--now)");
  part.bar.firstChild.style.width = `${100 * (row.share ?? 0)}%`;
  part.ghost.hidden = row.state !== "Running" || usual === undefined;
  part.ghost.style.setProperty("--from", row.started ?? 0);
  part.ghost.style.setProperty("--to", (row.started ?? 0) + (usual ?? 0));
}

function updateTime(part, row, usual, now) {
  write(part.time, timeOf(row, now));
  part.time.toggleAttribute("data-slow", isSlow(elapsed(row, now), usual));
}

function timeOf(row, now) {
  return ticking(row, now) || (row.state === "Waiting" ? "" : row.state.toLowerCase());
}

function updateAxis(part, span) {
  const marks = ticks(span, 4).filter((at) => at < span * 0.9);
  const shown = marks.join();
  if (part.axis.dataset.shown !== shown) {
    part.axis.dataset.shown = shown;
    part.axis.replaceChildren(...marks.map((at) => make("span", { style: `--at: ${at}` }, moment(at))));
  }
}

/** Bring a task's row into sight. */
function reveal(part, number) {
  const top = part.shown.indexOf(number) * ROW;
  const { scrollTop, clientHeight } = part.list;
  if (top < 0 || (top >= scrollTop && top + ROW <= scrollTop + clientHeight)) return;
  part.list.scrollTop = top < scrollTop ? top : top + ROW - clientHeight;
}

/** Keep what runs in sight, until the reader takes over the list. */
function follower(part, run) {
  let led = false;
  const lead = () => (led = true);
  for (const sign of ["pointerenter", "wheel", "focus"]) part.list.addEventListener(sign, lead, { passive: true });
  return () => {
    const first = led || run.chosen !== null ? -1 : part.shown.findIndex((one) => run.rows[one].state === "Running");
    if (first < 0) return;
    const below = first * ROW - part.list.scrollTop;
    if (below >= 0 && below < part.list.clientHeight * 0.7) return;
    part.list.scrollTop = first * ROW - part.list.clientHeight / 4; // at once: rows that slide by would have to be made
    updateSight(part, run);
  };
}
