// --- keys: arrows go through the list, Enter opens a task, Escape goes back, / leads to the filter ---

/** Return what takes the keys of a view. It must come before the notebook, which has uses of its own for them. */
function keysOf(root, tasks, run) {
  return (event) => {
    if (!root.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isTaken =
      event.target === tasks.filter ? inFilter(event, tasks, run) : goThrough(event, tasks, run) || everywhere(event, tasks, run);
    if (!isTaken) return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function inFilter({ key }, tasks, run) {
  if (key === "Escape" && run.text) {
    run.text = "";
    tell(run);
  } else if (key === "Escape" || key === "ArrowDown" || key === "Enter") tasks.list.focus();
  else return false;
  return true;
}

function goThrough({ key, target }, tasks, run) {
  if (target !== tasks.list) return false;
  const page = Math.max(Math.floor(tasks.list.clientHeight / ROW) - 1, 1);
  const at = tasks.shown.indexOf(run.cursor);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - page, PageDown: at + page, Home: 0, End: Infinity }[key];
  if (to !== undefined) moveTo(tasks, run, to);
  else if ((key === "Enter" || key === " ") && run.cursor !== null) choose(run, run.cursor);
  else return false;
  return true;
}

function moveTo(tasks, run, place) {
  const { shown } = tasks;
  if (!shown.length) return;
  run.cursor = shown[Math.min(Math.max(place, 0), shown.length - 1)];
  reveal(tasks, run.cursor);
  if (run.chosen === null) tell(run);
  else choose(run, run.cursor);
}

function everywhere({ key }, tasks, run) {
  if (key === "/") {
    tasks.tools.hidden = false;
    tasks.filter.focus();
  } else if (key === "Escape" && run.chosen !== null) {
    choose(run, null);
    tasks.list.focus();
  } else if (key === "Escape" && (run.text || run.states.size)) showAll(run, tasks);
  else return false;
  return true;
}
