// --- a row of the list: a task, its time line and its words ---

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
  part.bar.hidden = row.started === null;
  part.bar.firstChild.style.width = `${100 * (row.share ?? 0)}%`;
  part.ghost.hidden = row.state !== "Running" || usual === undefined;
  write(part.attempts, row.attempts > 1 ? `×${row.attempts}` : "");
  part.attempts.title = row.attempts > 1 ? `${row.attempts} attempts` : "";
  write(part.usual, usual === undefined ? "" : duration(usual));
  write(part.note, row.note);
  part.note.title = row.note;
  const said = [run.graph.tasks[number].id, row.state, row.ended === null ? "" : duration(elapsed(row, row.ended)), row.note];
  mark(element, "aria-label", said.filter(Boolean).join(", "));
}

function updateTime(part, row, usual, now) {
  write(part.time, timeOf(row, now));
  part.time.toggleAttribute("data-slow", isSlow(elapsed(row, now), usual));
  if (row.started === null) return;
  place(part.bar, row.started, row.ended ?? now, now);
  if (usual !== undefined) place(part.ghost, row.started, row.started + usual, now);
}

/** Put a bar on the time line that ends now. */
function place({ style }, from, to, now) {
  style.left = `min(${share(from, now)}, 100% - 4px)`;
  style.width = `max(${share(to - from, now)}, 4px)`;
}

function share(seconds, span) {
  return `${((100 * seconds) / Math.max(span, 0.001)).toFixed(2)}%`;
}

function timeOf(row, now) {
  return ticking(row, now) || (row.state === "Waiting" ? "" : row.state.toLowerCase());
}
