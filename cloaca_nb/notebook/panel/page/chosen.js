// --- the chosen task: facts, traceback, log ---

const RERUN = "Start a new run of this task alone, on the latest run's values";

function chosenOf(run) {
  const part = {
    icon: icon({ "aria-hidden": "true" }),
    name: make("strong", { class: "title" }),
    state: make("span", { class: "status" }),
    rerun: button("rerun", "Re-run", () => again(run, run.chosen)),
    close: button("close", "×", () => choose(run, null)),
    facts: make("div", { class: "facts" }),
    cause: make("div", { class: "cause" }, make("div", { class: "message" }), make("div", { class: "where" })),
    trace: make("div", { class: "trace", role: "group", tabindex: 0, "aria-label": "Traceback" }),
    hint: make("div", { class: "hint" }),
    lines: make("div", { class: "lines" }),
    written: { task: null, next: 0 }, // what of the log stands there
  };
  part.log = make("div", { class: "log", role: "log", "aria-live": "off", tabindex: 0, "aria-label": "Log" }, part.hint, part.lines);
  mark(part.close, "aria-label", "Close");
  mark(part.close, "title", "Close (Escape)");
  const line = make("div", { class: "line" }, part.icon, part.name, part.state, part.rerun, part.close);
  return { ...part, element: make("section", { class: "chosen" }, line, part.cause, part.facts, part.trace, part.log) };
}

function updateChosen(part, run) {
  part.element.hidden = run.chosen === null;
  if (run.chosen === null) return;
  const row = run.rows[run.chosen];
  const { id } = run.graph.tasks[run.chosen];
  const log = run.log?.task === run.chosen ? run.log : null;
  part.element.dataset.state = row.state;
  mark(part.element, "aria-label", `Task ${id}`);
  setIcon(part.icon, run.graph.looks[row.state]);
  write(part.name, id);
  part.name.title = id;
  write(part.state, row.state);
  part.rerun.hidden = !run.graph.again;
  forbid(part.rerun, hindrance(run), RERUN);
  advanceChosen(part, run);
  part.cause.hidden = !log?.traceback;
  write(part.cause.firstChild, log?.note ?? "");
  write(part.cause.lastChild, log?.where ?? "");
  part.trace.hidden = !log?.traceback;
  write(part.trace, log?.traceback ?? "");
  updateLog(part, run, log);
}

/** Let the time of the chosen task go on. */
function advanceChosen(part, run) {
  if (run.chosen === null) return;
  const log = run.log?.task === run.chosen ? run.log : null;
  updateFacts(part.facts, factsOf(run, run.rows[run.chosen], log));
}

function factsOf(run, row, log) {
  const usual = run.usual[row.number];
  const time = timeOf(row, nowOf(run));
  const facts = {
    Elapsed: [time, usual === undefined ? "" : `usually ${duration(usual)}`].filter(Boolean).join(", "),
    Attempts: row.attempts > 1 ? String(row.attempts) : "",
    Sets: log?.sets.join(", ") ?? "",
    Where: log?.traceback ? "" : (log?.where ?? ""),
    Note: log?.traceback ? "" : log?.note || row.note,
  };
  return Object.entries(facts).filter(([, text]) => text);
}

function updateFacts(element, facts) {
  const names = facts.map(([name]) => name).join();
  if (element.dataset.names !== names) {
    const entry = ([name]) => make("div", { class: name.toLowerCase() }, make("span", { class: "label" }, name), make("span", { class: "fact" }));
    element.replaceChildren(...facts.map(entry));
    element.dataset.names = names;
  }
  for (const [place, [, text]] of facts.entries()) {
    const fact = element.children[place].lastChild;
    write(fact, text);
    mark(fact, "title", text);
  }
}

/** Add what is new; a reader who looks at the end goes on looking at the end. */
function updateLog(part, run, log) {
  const { log: element, lines, written } = part;
  const first = log ? log.next - log.lines.length : 0;
  if (written.task !== (log?.task ?? null) || written.next < first) {
    lines.replaceChildren();
    Object.assign(written, { task: log?.task ?? null, next: first });
  }
  const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 24 || !lines.childElementCount;
  if (log) lines.append(...log.lines.slice(written.next - first).map(lineOf));
  while (lines.childElementCount > MOST_LINES) lines.firstChild.remove();
  written.next = log?.next ?? 0;
  write(part.hint, hintOf(run, log, written.next - lines.childElementCount));
  part.hint.hidden = !part.hint.textContent;
  if (isAtEnd) element.scrollTop = element.scrollHeight;
}

function lineOf([attempt, stream, text]) {
  return make("div", { class: stream, title: attempt > 1 ? `attempt ${attempt}` : "" }, text || " ");
}

function hintOf(run, log, left) {
  if (!log) return run.isGone ? "" : "Asking the kernel, which answers when nothing blocks it …";
  const { id } = run.graph.tasks[run.chosen];
  if (left > 0) return `… ${number(left, "earlier line")}: %cloaca_logs ${id} --run ${short(run.state.run)} --lines 0`;
  if (log.next > 0) return "";
  return ENDED.includes(run.rows[run.chosen].state) ? "It has written nothing." : "Nothing written yet.";
}
