// The live panel of one run. These files are one module, joined in the order that widget.py names: text from the kernel
// only ever becomes text nodes and attributes.

// --- what the kernel has said so far, and what the reader looks at; it outlives the views of it ---

const ENDED = ["Completed", "Taken", "Failed", "Skipped", "Cancelled"];
const COUNTED = [...ENDED, "Interrupted", "Running", "Retrying", "Waiting"];
const MOST_LINES = 2000; // of a log, in the page

function newRun(graph) {
  const rows = graph.tasks.map((_, number) => rowFrom([number, "Waiting", null, null, 0, null, ""]));
  const counts = Object.fromEntries(COUNTED.map((state) => [state, 0]));
  counts.Waiting = rows.length;
  const looked = { cursor: null, chosen: null, text: "", states: new Set(), top: 0, isLed: false, held: null };
  const said = { log: null, usual: {}, answer: "", isAsking: false, hasAsked: false, isAwaited: false, isUnheard: false, isGone: false, isLate: false, stopgap: null };
  const kernel = { send: () => {}, interrupt: () => false, notebook: () => undefined }; // until a model speaks for it
  return { graph, rows, counts, state: null, offset: Infinity, views: new Set(), ...looked, ...said, ...kernel };
}

function rowFrom([number, state, started, ended, attempts, share, note]) {
  return { number, state, started, ended, attempts, share, note };
}

/** Merge a message into what is known, and return the numbers of the tasks in it. */
function takeState(run, state) {
  for (const row of state.rows) {
    run.counts[run.rows[row[0]].state] -= 1;
    run.counts[row[1]] += 1;
    run.rows[row[0]] = rowFrom(row);
  }
  // The message that was quickest on its way tells the kernel's clock best; so time never runs backwards.
  if (state.now > 0) run.offset = Math.min(run.offset, performance.now() / 1000 - state.now);
  run.state = state;
  return state.rows.map((row) => row[0]);
}

/** Merge what is said of the task that is looked at: its log from some line on. */
function takeChosen(run, said) {
  if (said.task === undefined) return run;
  run.chosen ??= said.task; // the kernel opens the task that failed
  const before = run.log;
  const goesOn = before?.task === said.task && said.known > 0 && before.next >= said.known;
  const kept = goesOn ? before.lines : [];
  const lines = [...kept, ...said.lines.slice(goesOn ? before.next - said.first : 0)];
  run.log = { ...said, lines: lines.slice(-MOST_LINES), next: said.first + said.lines.length };
  return run;
}

/** What a run is called where people read it, as `short` in run_id.py. */
function short(id) {
  return id.slice(-8);
}

function nowOf(run) {
  if (run.state.ended || run.offset === Infinity) return run.state.now;
  return Math.max(performance.now() / 1000 - run.offset, run.state.now);
}

function elapsed(row, now) {
  return row.started === null ? null : (row.ended ?? now) - row.started;
}

/** Look at a task, or at none: here at once, its log as soon as the kernel answers. */
function choose(run, number) {
  if (run.chosen === number) return;
  run.chosen = number;
  run.cursor = number ?? run.cursor;
  run.send({ type: "choose", task: number });
  tell(run);
}

function tell(run, numbers = []) {
  for (const view of run.views) view(numbers);
}

/** The numbers of the tasks that the reader wants to see, in order. */
function wanted(run) {
  const text = run.text.trim().toLowerCase();
  const all = run.rows.map((row) => row.number);
  if (!text && !run.states.size) return all;
  const has = ({ number, note }) => `${run.graph.tasks[number].id} ${note}`.toLowerCase().includes(text);
  return all.filter((number) => (!run.states.size || run.states.has(run.rows[number].state)) && has(run.rows[number]));
}

/** Why no other run can be started from here now; an empty text if one can. */
function hindrance(run) {
  if (run.isGone) return `The kernel of this run is gone. ${onward(run)}`;
  if (!run.state.ended) return "The run is still going on.";
  return run.isAsking ? "The kernel has been asked to." : "";
}

/** How a run is gone on with, or begun again, in a cell. */
function onward({ state }) {
  if (state.status === "Completed") return "%cloaca_run in a cell starts another.";
  return `%cloaca_run --resume${state.run ? ` ${short(state.run)}` : ""} in a cell goes on with it.`;
}

/** Which run a click here has started; an empty text if none has. */
function followedBy({ graph, state }) {
  if (!state.next) return "";
  const { run, task } = state.next;
  return `Run ${short(run)} ${task === null ? "goes on with this one" : `executes ${graph.tasks[task].id} again`}.`;
}

/** Ask for another run: of what is to be done again, or of one task. */
function again(run, task) {
  if (hindrance(run)) return;
  Object.assign(run, { isAsking: true, hasAsked: true, answer: "" });
  run.send({ type: "again", task });
  tell(run);
}
