// --- the header: how the run stands, and what can be done about it ---

const PATIENCE = 1000; // ms for the kernel to answer a click
const UNHEARD = "The kernel is busy and hasn't heard this yet. The notebook's Interrupt button cancels the run at once.";
const RESUME = "Start a new run that goes on with this one: only what failed, follows it, or was edited since is executed";

function header(run) {
  const meter = { role: "progressbar", "aria-label": "Tasks that are over", "aria-valuemin": 0 };
  const part = {
    icon: icon({ "aria-hidden": "true" }),
    status: make("span", { class: "status" }),
    time: make("span", { class: "time" }),
    counts: make("div", { class: "counts", role: "group", "aria-label": "Show only tasks that are" }),
    said: make("span", { class: "said", role: "status" }),
    bar: make("div", { class: "bar", ...meter }),
    notice: make("div", { class: "notice" }),
    next: make("div", { class: "next" }),
    cancel: button("cancel", "Cancel", () => cancel(run, part.cancel)),
    resume: button("resume", "Resume", () => again(run, null)),
    segments: {},
    chips: {},
  };
  for (const state of COUNTED) {
    part.chips[state] = chip(run, state);
    part.segments[state] = make("span", { class: "segment", "data-state": state });
  }
  part.bar.append(...COUNTED.slice(0, -1).map((state) => part.segments[state]));
  part.counts.append(...Object.values(part.chips));
  const title = make("strong", { class: "title", title: run.graph.name }, run.graph.name);
  const about = make("div", { class: "about" }, part.icon, title, part.status, part.time);
  const line = make("div", { class: "line" }, about, part.counts, part.cancel, part.resume);
  return { ...part, element: make("header", {}, line, part.bar, part.next, part.notice, part.said) };
}

function updateHeader(part, run) {
  const { counts, state } = run;
  const over = ENDED.reduce((sum, one) => sum + counts[one], 0);
  const total = run.rows.length;
  for (const one of COUNTED) {
    part.segments[one].style.width = `${(100 * counts[one]) / total}%`;
    updateChip(part.chips[one], run, one);
  }
  mark(part.bar, "aria-valuemax", String(total));
  mark(part.bar, "aria-valuenow", String(over));
  setIcon(part.icon, run.graph.looks[state.status]);
  write(part.status, state.status);
  write(part.notice, noticeOf(run));
  part.notice.hidden = !part.notice.textContent;
  write(part.next, followedBy(run));
  part.next.hidden = !state.next;
  const failed = state.ended || counts.Failed ? `${state.status}. ${counts.Failed} of ${number(total, "task")} failed. ` : "";
  write(part.said, failed + [part.next.textContent, part.notice.textContent].filter(Boolean).join(" "));
  updateButtons(part, run);
}

function updateButtons(part, run) {
  const { cancelling, ended } = run.state;
  part.cancel.hidden = !run.graph.cancel || ended;
  part.cancel.disabled = cancelling || part.cancel.dataset.clicked === "";
  write(part.cancel, part.cancel.disabled ? "Cancelling…" : "Cancel");
  part.resume.hidden = !run.graph.again || !ended;
  part.resume.toggleAttribute("data-main", wantsResume(run));
  forbid(part.resume, hindrance(run), RESUME);
  write(part.resume, run.isAsking ? "Starting…" : "Resume");
}

/** Whether Resume is what most people want next: after a run that didn't come to its end, and that none goes on with. */
function wantsResume({ state }) {
  return ["Failed", "Cancelled"].includes(state.status) && !state.next;
}

function noticeOf(run) {
  const { cancelling, ended, error, conflicts } = run.state;
  const unheard = run.isUnheard && !cancelling && !ended ? UNHEARD : "";
  const ownError = ended && !run.counts.Failed ? error : ""; // else it stands beside the task
  const gone = run.state.status === "Completed" ? "" : hindrance(run); // then there is nothing to be done about it
  const first = run.isGone ? gone : unheard || run.answer || ownError;
  return [first, unseenOf(run), ...conflicts].filter(Boolean).join("\n");
}

/** What a page that was loaded again lacks: only the one that has executed a cell knows where its output belongs. */
function unseenOf(run) {
  const { unseen, run: id } = run.state;
  if (!unseen || !run.isLate || !run.notebook()) return "";
  const printed = `${number(unseen, "line")} printed since this page was loaded again can't be shown below the cell`;
  return `${printed}: ${run.isGone ? "" : "choose a task to read its log, or "}use %cloaca_logs --run ${short(id)}`;
}

/** How many tasks are in a state; pressed, only those are shown. */
function chip(run, state) {
  const sign = icon({ "aria-hidden": "true" });
  const count = make("span", {});
  setIcon(sign, run.graph.looks[state]);
  const made = button("chip", "", () => {
    if (!run.states.delete(state)) run.states.add(state);
    tell(run);
  });
  made.dataset.state = state;
  made.append(sign, count);
  return made;
}

function updateChip(element, run, state) {
  const count = run.counts[state];
  const label = `${count.toLocaleString("en")} ${state.toLowerCase()}`;
  element.hidden = !count && !run.states.has(state);
  write(element.lastChild, count.toLocaleString("en"));
  mark(element, "aria-label", label);
  mark(element, "title", run.states.has(state) ? `${label}: show all again` : `${label}: show only these`);
  mark(element, "aria-pressed", String(run.states.has(state)));
}

/** Ask the kernel to cancel; one that takes no messages while a cell runs is interrupted, from here if that can be. */
function cancel(run, element) {
  element.dataset.clicked = "";
  run.send({ type: "cancel" });
  tell(run);
  setTimeout(() => {
    if (run.state.cancelling || run.state.ended || run.interrupt()) return;
    run.isUnheard = true;
    tell(run);
  }, PATIENCE);
}
