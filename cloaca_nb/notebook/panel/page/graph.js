// --- the graph: cards, or dots where there are too many; both answer the same calls ---

function graphOf(run) {
  const { graph } = run;
  const drawing = (graph.compact ? dotsOf : cardsOf)(run);
  const { picture } = drawing;
  mark(picture, "role", "img");
  mark(picture, "aria-label", `Graph of ${graph.name}; the list below has the same tasks`);
  picture.style.minWidth = `${graph.width * (graph.compact ? 0.25 : 0.62)}px`; // smaller could not be read: then it scrolls
  const element = make("div", { class: "graph", tabindex: 0, role: "group", "aria-label": "Graph" }, picture);
  picture.addEventListener("click", (event) => {
    const number = drawing.taskAt(event);
    if (number !== null) choose(run, number);
  });
  return { ...drawing, element };
}

/** What a task's mark in the graph says to who points at it. */
function titleOf({ graph, rows }, number) {
  const { state, note } = rows[number];
  return [graph.tasks[number].id, state, note].filter(Boolean).join(" · ");
}

/** The edges that touch each task, by its number: as `[those that arrive, those that leave]`, each of `edges`. */
function edgesByTask(graph, edges) {
  const numbers = new Map(graph.tasks.map((task, number) => [task.id, number]));
  const touching = graph.tasks.map(() => [[], []]);
  graph.edges.forEach(({ source, target }, place) => {
    touching[numbers.get(target)][0].push(edges[place]);
    touching[numbers.get(source)][1].push(edges[place]);
  });
  return touching;
}
