// --- what the notebook keeps of a run: the kernel displays it, and can't change it any more once the page was loaded
// again. Then the page does, in front ends that let a widget see its notebook ---

const LATE = 1000; // ms after which the kernel has changed what it displays, if it still can
const WIDGET = "application/vnd.jupyter.widget-view+json";

/** Ask for what the notebook is to keep of this run, if that isn't what it holds. */
function keepPicture(run) {
  if (!run.isGone && outdatedPlaces(run).length) run.send({ type: "picture" });
}

/** Put it there, as the kernel would. */
function putPicture(run, data) {
  for (const [outputs, place] of outdatedPlaces(run)) {
    outputs.set(place, { output_type: "display_data", data, metadata: {} });
  }
}

/** Where else the notebook holds this run: as outputs of a cell, and a place among them. */
function outdatedPlaces(run) {
  const cells = run.notebook()?.cells;
  const numbers = (list) => [...Array(list?.length ?? 0).keys()];
  const all = numbers(cells).flatMap((at) => {
    const { outputs } = cells.get(at);
    return numbers(outputs).map((place) => [outputs, place]);
  });
  return all.filter(([outputs, place]) => isOutdated(run, outputs.get(place).data ?? {}));
}

/** Whether an output is a widget, which only this kernel can show, or says of a run that is over that it goes on. */
function isOutdated({ graph, state }, data) {
  if (data[WIDGET]) return String(data["text/plain"]).includes(graph.key);
  const words = `data-cloaca-panel="${graph.key}" data-run-status="Running"`;
  return state.ended && String(data["text/html"]).includes(words);
}
