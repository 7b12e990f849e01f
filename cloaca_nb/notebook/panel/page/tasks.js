// --- the list of tasks: only the rows in sight exist, so it takes any number ---

const ROW = 28; // px
const MARGIN = 3; // rows beyond the edges
const MOST_ROWS = 15; // in sight
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
    top: run.top, // how far the list is scrolled, and how high it is: known without asking, which would cost a layout
    height: MOST_ROWS * ROW,
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
  part.list.addEventListener("scroll", () => seeAgain(part, run), { passive: true });
  part.list.addEventListener("click", (event) => {
    const number = numberOf(event);
    if (number !== null) choose(run, number);
  });
  const resized = new ResizeObserver(() => seeAgain(part, run));
  resized.observe(part.list);
  const element = make("div", { class: "tasks" }, tools, heads, part.list);
  return Object.assign(part, { element, end: () => resized.disconnect() });
}

/** The number of the task in whose row something happens. */
function numberOf({ target }) {
  const row = target.closest(".row");
  return row && Number(row.dataset.number);
}

function showAll(run, part) {
  run.text = part.filter.value = "";
  run.states.clear();
  tell(run);
}

/** Take over which tasks are wanted, and how far the rows in sight are. */
function updateTasks(part, run, follow) {
  const all = run.rows.length;
  const isFiltered = Boolean(run.text.trim() || run.states.size);
  part.shown = wanted(run);
  part.tools.hidden = all <= FEW && !isFiltered && part.filter !== document.activeElement;
  part.clear.hidden = !isFiltered;
  write(part.found, isFiltered ? `${part.shown.length.toLocaleString("en")} of ${number(all, "task")}` : number(all, "task"));
  if (part.filter.value !== run.text) part.filter.value = run.text;
  part.empty.hidden = part.shown.length > 0;
  part.all.style.height = `${part.shown.length * ROW}px`;
  part.list.style.height = `${Math.min(part.shown.length || 2, MOST_ROWS) * ROW + 6}px`;
  follow();
  updateSight(part, run);
}

/** Take over what the reader has scrolled to. */
function seeAgain(part, run) {
  Object.assign(part, { top: part.list.scrollTop, height: part.list.clientHeight });
  run.top = part.top;
  updateSight(part, run);
}

function updateSight(part, run) {
  const first = Math.max(Math.floor(part.top / ROW) - MARGIN, 0);
  const last = Math.min(Math.ceil((part.top + part.height) / ROW) + MARGIN, part.shown.length);
  const inSight = new Map();
  for (let place = first; place < last; place += 1) inSight.set(part.shown[place], place);
  for (const [number, row] of part.rows) {
    if (inSight.has(number)) continue;
    part.spare.push(row);
    part.rows.delete(number);
  }
  for (const [number, place] of inSight) updateRow(rowOf(part, run, number), run, number, place, part.shown.length);
  while (part.spare.length) part.spare.pop().element.remove();
  advance(part, run, nowOf(run));
  const cursor = part.rows.get(run.cursor);
  if (cursor) mark(part.list, "aria-activedescendant", cursor.element.id);
  else part.list.removeAttribute("aria-activedescendant");
}

/** The row of a task: one that is there, else one whose task is out of sight. */
function rowOf(part, run, number) {
  if (part.rows.has(number)) return part.rows.get(number);
  const row = part.spare.pop() ?? newRow();
  const { id } = run.graph.tasks[number];
  Object.assign(row.element.dataset, { number, taskId: id });
  row.element.id = `${run.graph.key}-${number}`;
  write(row.name, id);
  row.name.title = id;
  row.element.toggleAttribute("data-lit", part.lit === number);
  part.rows.set(number, row);
  if (!row.element.isConnected) part.all.append(row.element);
  return row;
}

function lightRow(part, number) {
  part.lit = number;
  for (const [one, { element }] of part.rows) element.toggleAttribute("data-lit", one === number);
}

/** Advance the clocks of the rows in sight, and their time lines. */
function advance(part, run, now) {
  for (const [number, row] of part.rows) updateTime(row, run.rows[number], run.usual[number], now);
  updateAxis(part, now);
}

function updateAxis(part, span) {
  const marks = ticks(span, 4).filter((at) => at < span * 0.85);
  const shown = marks.join();
  if (part.axis.dataset.shown !== shown) {
    part.axis.dataset.shown = shown;
    part.axis.replaceChildren(...marks.map((at) => make("span", {}, moment(at))));
  }
  marks.forEach((at, place) => (part.axis.children[place].style.left = share(at, span)));
}

/** Bring a task's row into sight. */
function reveal(part, number) {
  const at = part.shown.indexOf(number) * ROW;
  const { top, height } = part;
  if (at < 0 || (at >= top && at + ROW <= top + height)) return;
  scrollTo(part, at < top ? at : at + ROW - height);
}

function scrollTo(part, top) {
  part.top = Math.max(Math.min(top, part.shown.length * ROW + 6 - part.height), 0);
  part.list.scrollTop = part.top;
}

/** Keep what runs in sight, until the reader takes over the list. */
function follower(part, run) {
  const lead = () => (run.isLed = true);
  for (const sign of ["pointerenter", "wheel", "focus"]) part.list.addEventListener(sign, lead, { passive: true });
  return () => {
    const first = run.isLed || run.chosen !== null ? -1 : part.shown.findIndex((one) => run.rows[one].state === "Running");
    if (first < 0) return;
    const below = first * ROW - part.top;
    if (below < 0 || below >= part.height * 0.7) scrollTo(part, first * ROW - part.height / 4); // at once: rows that slide by would have to be made
  };
}
