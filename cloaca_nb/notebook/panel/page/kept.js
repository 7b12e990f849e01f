// --- what the notebook keeps of a run: the kernel displays it, and can't change it any more once the page was loaded
// again. Then the page does, in front ends that let a widget see its notebook ---

const LATE = 1000; // ms after which the kernel has changed what it displays, if it still can
const WIDGET = "application/vnd.jupyter.widget-view+json";

/** Ask for what the notebook is to keep of this run, if that isn't what it holds. */
function keepPicture(run) {
  if (!run.isGone && (outdatedPlaces(run).length || outdatedLines(run).length)) run.send({ type: "picture" });
}

/** Put it there, as the kernel would; a run that was to have a place below another's gets one. */
function putPicture(run, data, line) {
  const output = displayed(data);
  if (line) for (const [outputs, place] of outdatedLines(run)) outputs.set(place, displayed(line));
  for (const [outputs, place] of outdatedPlaces(run)) outputs.set(place, output);
  const [before] = placesOf(run, run.graph.after);
  if (!run.stopgap || !before || placesOf(run, run.graph.key).length) return;
  before[0].add(output);
  run.stopgap.remove();
  run.stopgap = null;
}

function displayed(data) {
  return { output_type: "display_data", data, metadata: {} };
}

/** Where the notebook holds the run whose panel has this key, on the screen or off it. */
function placesOf(run, key) {
  return placesWhere(run, (data) => isOf(key, data));
}

/** Where the notebook holds this run as it should not. */
function outdatedPlaces(run) {
  return placesWhere(run, (data) => isOutdated(run, data));
}

/** Where the notebook says of this run in a line that it goes on, though it is over. */
function outdatedLines({ state, notebook }) {
  const goingOn = `data-cloaca-going="${state.run}"`;
  return state.ended ? placesWhere({ notebook }, (data) => String(data["text/html"]).includes(goingOn)) : [];
}

/** The outputs of the notebook whose data are such: as outputs of a cell, and a place among them. */
function placesWhere(run, isMeant) {
  const cells = run.notebook()?.cells;
  const numbers = (list) => [...Array(list?.length ?? 0).keys()];
  const all = numbers(cells).flatMap((at) => {
    const { outputs } = cells.get(at);
    return numbers(outputs).map((place) => [outputs, place]);
  });
  return all.filter(([outputs, place]) => isMeant(outputs.get(place).data ?? {}));
}

/** Whether an output is a widget, which only this kernel can show, or says of a run that is over that it goes on. */
function isOutdated({ graph, state }, data) {
  if (data[WIDGET]) return String(data["text/plain"]).includes(graph.key);
  return state.ended && isOf(graph.key, data, 'data-run-status="Running"');
}

function isOf(key, data, how = "") {
  return String(data["text/html"]).includes(`data-cloaca-panel="${key}" ${how}`);
}
