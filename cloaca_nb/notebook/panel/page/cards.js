// --- a graph of cards: an SVG ---

function cardsOf(run) {
  const { graph } = run;
  const { width, height } = graph;
  const svg = draw("svg", { class: graph.slim ? "slim" : "tall", viewBox: `0 0 ${width} ${height}`, width, height });
  const edges = graph.edges.map(({ inferred, path }) => draw("path", { class: inferred ? "edge inferred" : "edge", d: path }));
  const touching = edgesByTask(graph, edges);
  const cards = graph.tasks.map((task) => card(task, graph.slim));
  const numbers = new Map(cards.map(({ element }, number) => [element, number]));
  svg.append(...edges, ...cards.map(({ element }) => element));
  let lit = [];
  return {
    picture: svg,
    show: (numbers, shown) => {
      for (const number of numbers) updateCard(cards[number], touching[number][0], run, number);
      updateFocus(cards, run, shown);
    },
    tell: (number, time) => write(cards[number].time, time),
    light: (number) => {
      for (const element of lit) delete element.dataset.lit;
      lit = number === null ? [] : [cards[number].element, ...touching[number].flat()];
      for (const element of lit) element.dataset.lit = "";
    },
    taskAt: ({ target }) => numbers.get(target.closest(".task")) ?? null,
    end: () => {},
  };
}

/** A card; a slim one has its time beside the name, else below it. */
function card(task, slim) {
  const [x, y, width, height] = task.box;
  const below = { class: "note", x: 30, y: 26.5 };
  const beside = { class: "note beside", x: width - 10, y: height / 2 };
  const part = {
    title: draw("title"),
    icon: icon({ x: 9, y: height / 2 - 8 }),
    time: draw("text", slim ? beside : below),
  };
  const name = draw("text", { class: "name", x: 30, y: slim ? height / 2 : 13 }, task.label);
  const back = draw("rect", { class: "card", width, height, rx: 9 });
  const marks = { class: "task", "data-task-id": task.id, transform: `translate(${x} ${y})` };
  return { ...part, element: draw("g", marks, part.title, back, part.icon, name, part.time) };
}

function updateCard(part, arriving, run, number) {
  const { state } = run.rows[number];
  part.element.dataset.state = state;
  for (const edge of arriving) edge.dataset.state = state;
  write(part.title, titleOf(run, number));
  setIcon(part.icon, run.graph.looks[state]);
}

/** Mark the chosen task, and step the others back that the reader filters out. */
function updateFocus(cards, run, shown) {
  const isShown = shown.length < cards.length ? new Set(shown) : null;
  cards.forEach(({ element }, number) => {
    element.toggleAttribute("data-out", isShown !== null && !isShown.has(number));
    element.toggleAttribute("data-chosen", run.chosen === number);
  });
}
