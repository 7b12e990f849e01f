// --- elements: plain ones, as the page of a notebook has a style of its own for `pre`, `dl`, `p` and the like ---

const SVG = "http://www.w3.org/2000/svg";
const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function mark(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function icon(attributes = {}) {
  const sign = draw("path", { class: "sign" });
  const disc = draw("circle", { class: "disc", cx: 8, cy: 8, r: 7 });
  const arc = draw("circle", { class: "arc", cx: 8, cy: 8, r: 7, pathLength: 100 });
  return draw("svg", { class: "icon", viewBox: "0 0 16 16", width: 16, height: 16, ...attributes }, disc, arc, sign);
}

function setIcon(element, look) {
  if (element.dataset.sign === look.sign && element.dataset.disc === look.disc) return;
  Object.assign(element.dataset, { disc: look.disc, sign: look.sign });
  element.querySelector(".sign").setAttribute("d", look.sign);
}

function button(name, label, onClick) {
  const made = make("button", { class: name, type: "button" }, label);
  made.addEventListener("click", () => made.getAttribute("aria-disabled") !== "true" && onClick());
  return made;
}

/** Have a button say why it can't be used, if it can't: it can still be found by keyboard. */
function forbid(element, why, title) {
  mark(element, "aria-disabled", String(Boolean(why)));
  mark(element, "title", why || title);
}
