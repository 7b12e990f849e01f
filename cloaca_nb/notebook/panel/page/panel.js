// --- where views stand: as a widget's own, or over the static picture that the notebook keeps ---

const ASKED = [250, 750, 2000, 5000]; // ms after which the kernel is told that here is room for its picture
const ALONE = 750; // ms after which a run that was started here, has begun, and whose place never came, gets one

/** Show the run in every place for it that comes into the page; return what ends that. */
function takePlaces(run) {
  const places = `[data-cloaca-panel="${run.graph.key}"]`;
  const taken = new Map();
  const leave = (place) => {
    taken.get(place)();
    taken.delete(place);
  };
  const look = () => {
    for (const place of taken.keys()) if (!place.isConnected) leave(place);
    for (const place of document.querySelectorAll(places)) {
      if (taken.has(place)) continue;
      taken.set(place, () => {}); // first: if the view failed, what it has added would bring us here again, for ever
      taken.set(place, settleIn(run, place));
    }
  };
  const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;
  const sees = (node) => isElement(node) && !node.closest(".cloaca-panel");
  const observer = new MutationObserver((changes) => {
    if (changes.some((change) => [...change.addedNodes, ...change.removedNodes].some(sees))) look();
  });
  observer.observe(document.body, { childList: true, subtree: true });
  look();
  return () => {
    observer.disconnect();
    for (const place of taken.keys()) leave(place);
  };
}

/** Put a view over the static picture; without the view it is to be seen again. */
function settleIn(run, place) {
  const host = make("div", { class: "cloaca-live" });
  place.prepend(host);
  place.classList.add("cloaca-place");
  const end = shownIn(run, host);
  return () => {
    end();
    host.remove();
    place.classList.remove("cloaca-place");
  };
}

/** Show the run in an element, and keep it in sight if it is what a click here has asked for. */
function shownIn(run, host) {
  const end = view(run, host);
  const endSight = keepInSight(run, host.querySelector(":scope > .cloaca-panel"));
  run.wasSeen = true;
  return () => {
    endSight();
    end();
  };
}

/** Bring a view into sight as it comes up and grows, until the reader turns to anything. */
function keepInSight(run, root) {
  if (!run.isAwaited) return () => {};
  const grown = new ResizeObserver(() => {
    if (run.isAwaited) root.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
    else grown.disconnect();
  });
  grown.observe(root);
  return () => grown.disconnect();
}

/** Note of a run whether a click in this page has asked for it: not in another page, nor before a reload. */
function noteAwaited(run) {
  const before = panels.get(run.graph.after)?.run;
  if (!before?.hasAsked) return;
  before.hasAsked = false;
  run.isAwaited = true;
  const turn = () => (run.isAwaited = false);
  for (const sign of ["wheel", "pointerdown", "keydown"]) window.addEventListener(sign, turn, { once: true, capture: true, passive: true });
}

/** Tell the kernel that this page can show the panel over a picture; a blocked one hears only what is said a bit later. */
function offerPlace(run) {
  const isThere = document.querySelector(`[data-cloaca-panel="${run.graph.key}"]`);
  if (!isThere && !run.state.ended) run.send({ type: "place" });
}

/**
 * After a reload the page has no cell for what an old one displays: below the panel that was clicked there is room. What
 * stands there is not kept; so the kernel is asked for what is.
 */
function makePlace(run, hasBegun) {
  if (run.wasSeen || run.isGone) return;
  if (!hasBegun) {
    setTimeout(makePlace, ALONE, run, Boolean(run.state.run));
    return;
  }
  run.stopgap = make("div", { "data-cloaca-panel": run.graph.key });
  const before = document.querySelector(`.cloaca-panel[data-run="${run.graph.after}"]`);
  before?.parentElement.after(run.stopgap);
  run.send({ type: "picture" });
}

/** Take in what the kernel says of the run, and that another has taken its place; return what ends that. */
function listen(model, run) {
  const { session } = run.graph;
  const messages = session ? model.widget_manager?.kernel?.iopubMessage : undefined;
  const isOther = ({ msg_type, session: signed }) => msg_type === "status" && signed !== session;
  const onMessage = (_, { header }) => isOther(header) && lose(run); // who restarts it in another page isn't told of here
  const heard = {
    "change:state": () => {
      tell(run, takeState(run, model.get("state")));
      if (run.state.ended) setTimeout(keepPicture, LATE, run);
    },
    "change:chosen": () => tell(takeChosen(run, model.get("chosen"))),
    "change:usual": () => tell(Object.assign(run, { usual: model.get("usual") })),
    "msg:custom": ({ type, why, data, line }) => {
      if (type === "answer") tell(Object.assign(run, { isAsking: false, hasAsked: run.hasAsked && !why, answer: why }));
      if (type === "picture") putPicture(run, data, line);
    },
    comm_live_update: () => lose(run),
  };
  for (const [name, listener] of Object.entries(heard)) model.on(name, listener);
  messages?.connect(onMessage);
  return () => {
    messages?.disconnect(onMessage);
    for (const [name, listener] of Object.entries(heard)) model.off(name, listener);
  };
}

/** The kernel is gone, and what it was doing with it. */
function lose(run) {
  if (run.isGone) return;
  run.isGone = true;
  if (run.state.ended) return tell(run);
  const now = nowOf(run);
  const cut = run.rows.filter(({ state }) => state === "Running" || state === "Retrying");
  const rows = cut.map(({ number, started, attempts, note }) => [number, "Interrupted", started, now, attempts, null, note]);
  tell(run, takeState(run, { ...run.state, rows, now, status: "Interrupted", ended: true }));
}

// The panels of this page, by key. A widget's code is loaded for each model anew, so they meet here: a kernel announces
// a panel again where a page may have missed it, and the model that comes then takes the place of the one before.
const panels = (window.cloacaPanels ??= new Map());

function newPanel(model) {
  const run = newRun(model.get("graph"));
  const panel = { run, end: () => {} };
  takeState(run, model.get("state"));
  noteAwaited(run);
  run.isLate = Boolean(run.state.late);
  panel.hear = (speaker) => {
    panel.end();
    Object.assign(run, { usual: speaker.get("usual"), isGone: false, send: (message) => speaker.send(message) });
    run.interrupt = () => interrupt(speaker.widget_manager?.kernel);
    run.notebook = () => speaker.widget_manager?.context?.model;
    tell(takeChosen(run, speaker.get("chosen")), takeState(run, speaker.get("state")));
    const end = listen(speaker, run);
    panel.end = end;
    return () => (panel.end === end ? panel.close() : end());
  };
  const leavePlaces = takePlaces(run);
  const onLeave = () => run.state.ended || run.send({ type: "leave" });
  window.addEventListener("pagehide", onLeave);
  panel.close = () => {
    panel.end();
    leavePlaces();
    window.removeEventListener("pagehide", onLeave);
    panels.delete(run.graph.key);
  };
  return panel;
}

/** Interrupt the kernel, where the front end lets its widgets do that: say whether it does. */
function interrupt(kernel) {
  kernel?.interrupt?.();
  return Boolean(kernel?.interrupt);
}

/** Listen from the first message on: above some hundred tasks each holds only what has changed. */
function initialize({ model }) {
  const { key, after } = model.get("graph");
  if (!panels.has(key)) panels.set(key, newPanel(model));
  const { run, hear } = panels.get(key);
  const end = hear(model);
  if (document.querySelector(".jp-Notebook")) for (const delay of ASKED) setTimeout(offerPlace, delay, run);
  if (after) makePlace(run, false);
  setTimeout(keepPicture, LATE, run);
  return end;
}

function render({ model, el }) {
  const { run } = panels.get(model.get("graph").key);
  return shownIn(run, el);
}

export default { initialize, render };
