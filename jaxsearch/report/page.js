"use strict";

// The trials of the figures and of the table belong together: what is marked in one is marked in all.
const SVG = document.querySelector("svg")?.namespaceURI;
const NEAR = 14; // pixels from a point or a line that still count as on it
const region = document.querySelector(".trials");
const body = region?.querySelector("table").tBodies[0];
const heads = region ? Array.from(region.querySelectorAll("th")) : [];
const rows = new Map(body ? Array.from(body.rows, (row) => [row.dataset.trial, row]) : []);
let marked = null;

function element(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const part of [].concat(content)) made.append(part);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// What is known of a trial: its cells in the columns that decide, and in those that are shown.
function facts(trial) {
  const row = rows.get(trial);
  if (!row) return [];
  return heads.flatMap((head, i) =>
    i === 0 || (head.hidden && head.dataset.told === undefined) || row.cells[i].textContent === ""
      ? [] : [[head.textContent, row.cells[i].textContent]],
  );
}

function described(mark) {
  if (mark.text) return [element("p", mark.text)];
  const list = element("dl", facts(mark.trial).map(([name, value]) =>
    element("div", [element("dt", name), element("dd", value)])));
  return [element("strong", `Trial ${mark.trial}`), list];
}

// ---- Figures

// The corners of each part of a path: lines between gaps are trials of their own.
function parts(path) {
  return path.getAttribute("d").split("M").slice(1)
    .map((text) => text.match(/-?[\d.]+(?:e-?\d+)?/g).map(Number))
    .map((flat) => flat.flatMap((_, i) => (i % 2 ? [] : [[flat[i], flat[i + 1]]])));
}

function isDrawn(node) {
  return node.closest("defs, clipPath") === null;
}

// A line for each trial in place of one for all, so that each can fade.
function separated(path) {
  const group = document.createElementNS(SVG, "g");
  const made = parts(path).map((points) => {
    const part = path.cloneNode();
    part.setAttribute("d", `M${points.map((point) => point.join(" ")).join("L")}`);
    group.append(part);
    return { points, node: part };
  });
  path.replaceWith(group);
  return made;
}

function marksOf(svg) {
  const marks = [];
  for (const group of svg.querySelectorAll("[data-trials], [data-tips]")) {
    const trials = group.dataset.trials?.split(" ");
    const texts = group.dataset.tips?.split("|");
    const count = (trials ?? texts).length;
    const lines = Array.from(group.querySelectorAll("path")).filter(isDrawn).flatMap(separated);
    const dots = Array.from(group.querySelectorAll("use")).filter(isDrawn)
      .map((node) => ({ node, points: [[Number(node.getAttribute("x")), Number(node.getAttribute("y"))]] }));
    const found = lines.length === count ? lines : dots.length === count ? dots : [];
    found.forEach((part, i) => marks.push({ ...part, trial: trials?.[i], text: texts?.[i] }));
  }
  return marks;
}

function squared([x, y], [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = length ? Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0), 1) : 0;
  return (x - ax - along * (bx - ax)) ** 2 + (y - ay - along * (by - ay)) ** 2;
}

function distance(place, { points }) {
  if (points.length === 1) return squared(place, points[0], points[0]);
  return Math.min(...points.slice(1).map((point, i) => squared(place, points[i], point)));
}

class Figure {
  constructor(svg) {
    this.svg = svg;
    this.marks = marksOf(svg);
    if (!this.marks.length) return;
    this.layers = Object.fromEntries(["chosen", "pointed"].map((name) => {
      const layer = document.createElementNS(SVG, "g");
      layer.setAttribute("class", name);
      svg.append(layer);
      return [name, layer];
    }));
    this.ordered = [...this.marks].sort((a, b) => a.points[0][0] - b.points[0][0] || a.points[0][1] - b.points[0][1]);
    this.place = -1;
    svg.tabIndex = 0;
    svg.setAttribute("aria-label", `${svg.getAttribute("aria-label")}. Arrow keys go through its points, Enter marks one.`);
    svg.addEventListener("pointermove", (event) => this.point(this.nearest(event), event.clientX, event.clientY));
    svg.addEventListener("pointerleave", () => this.point(null));
    svg.addEventListener("blur", () => this.point(null));
    svg.addEventListener("click", (event) => {
      const mark = this.nearest(event);
      if (mark?.trial !== undefined) choose(mark.trial === marked ? null : mark.trial);
      else if (mark) this.point(mark, event.clientX, event.clientY);
    });
    svg.addEventListener("keydown", (event) => this.key(event));
  }

  nearest(event) {
    const matrix = this.svg.getScreenCTM().inverse();
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    let best = null;
    let least = (NEAR * matrix.a) ** 2;
    for (const mark of this.marks) {
      const found = mark.node.classList.contains("faint") ? Infinity : distance([x, y], mark);
      if (found <= least) [best, least] = [mark, found]; // of equals the one that is drawn last
    }
    return best;
  }

  point(mark, x, y) {
    this.svg.style.cursor = mark ? "pointer" : "";
    this.draw("pointed", mark ? [mark] : []);
    showTip(mark ? described(mark) : null, x, y);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      this.place = (Math.max(this.place, step < 0 ? 0 : -1) + step + this.ordered.length) % this.ordered.length;
      const mark = this.ordered[this.place];
      const { x, y } = new DOMPoint(...mark.points[0]).matrixTransform(this.svg.getScreenCTM());
      this.point(mark, x, y);
    } else if (event.key === "Enter" && this.place >= 0 && this.ordered[this.place].trial !== undefined) {
      choose(this.ordered[this.place].trial);
    } else if (event.key === "Escape") {
      this.point(null);
      choose(null);
    } else return;
    event.preventDefault();
  }

  draw(layer, marks) {
    this.layers[layer].replaceChildren(...marks.map(({ points }) => {
      const shape = document.createElementNS(SVG, points.length > 1 ? "polyline" : "circle");
      if (points.length > 1) shape.setAttribute("points", points.join(" "));
      else for (const [name, value] of [["cx", points[0][0]], ["cy", points[0][1]], ["r", 5]]) shape.setAttribute(name, value);
      return shape;
    }));
  }

  choose(trial) {
    this.draw("chosen", trial === null ? [] : this.marks.filter((mark) => mark.trial === trial));
  }

  fade(isShown) {
    for (const { node, trial } of this.marks) {
      if (trial !== undefined) node.classList.toggle("faint", !isShown(trial));
    }
  }
}

const figures = Array.from(document.querySelectorAll("figure svg"), (svg) => new Figure(svg))
  .filter((figure) => figure.marks.length);

// ---- What is under the pointer, and what is marked

const tip = element("div", [], { class: "tip", hidden: "" });
const bar = element("div", [], { class: "marked", role: "status", hidden: "" });
document.body.append(tip, bar);

function showTip(content, x, y) {
  tip.hidden = content === null;
  if (content === null) return;
  tip.replaceChildren(...content);
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
  tip.style.left = `${Math.max(Math.min(left, innerWidth - width - 8), 8)}px`;
  tip.style.top = `${Math.max(Math.min(y + 16, innerHeight - height - 8), 8)}px`;
}

function choose(trial) {
  for (const row of [rows.get(marked), rows.get(trial)]) row?.removeAttribute("aria-current");
  marked = trial;
  for (const figure of figures) figure.choose(trial);
  bar.hidden = trial === null;
  document.body.classList.toggle("has-marked", trial !== null);
  if (trial === null) return;
  const row = rows.get(trial);
  row?.setAttribute("aria-current", "true");
  const words = element("span", facts(trial).flatMap(([name, value]) => [element("span", [`${name} `, element("b", value)]), " "]));
  const go = element("button", "Show in the table", { type: "button" });
  const close = element("button", "×", { type: "button", "aria-label": "Unmark" });
  go.addEventListener("click", () => show(row, true));
  close.addEventListener("click", () => choose(null));
  bar.replaceChildren(element("strong", `Trial ${trial}`), words, ...(row ? [go] : []), close);
  if (row) show(row, false);
}

// Scrolls the table to a row, and the page to the table if wanted.
function show(row, page) {
  const top = row.offsetTop - heads[0].offsetHeight;
  if (top < region.scrollTop || row.offsetTop + row.offsetHeight > region.scrollTop + region.clientHeight) {
    region.scrollTop = top - region.clientHeight / 3;
  }
  if (!page) return;
  region.scrollIntoView({ block: "center", behavior: "instant" });
  region.focus({ preventScroll: true });
}

// ---- The table: order, filter, columns

function order(head) {
  const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const compare = head.className === "n" ? (a, b) => a - b : (a, b) => a.localeCompare(b, "en", { numeric: true });
  const sorted = Array.from(body.rows, (row) => [row.cells[head.cellIndex].textContent, row]);
  // Empty cells come last in either order.
  sorted.sort(([a], [b]) => (a === "") - (b === "") || sign * compare(a, b));
  for (const other of heads) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  body.append(...sorted.map(([, row]) => row));
}

const COMPARE = {
  "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "=": (a, b) => a === b,
};

// Whether a row has a word, or keeps a limit such as error<0.1.
function condition(word) {
  const [, name, sign, limit] = word.match(/^(.+?)(<=|>=|<|>|=)(.+)$/) ?? [];
  const place = heads.findIndex((head) => head.textContent.toLowerCase() === name);
  if (place < 0) return (row) => row.textContent.toLowerCase().includes(word);
  return (row) => {
    const text = row.cells[place].textContent.toLowerCase();
    if (text === "") return false;
    const isNumber = heads[place].className === "n" && limit.trim() !== "" && !Number.isNaN(Number(limit));
    return isNumber ? COMPARE[sign](Number(text), Number(limit)) : sign === "=" && text === limit;
  };
}

function filter(text, output) {
  const conditions = text.toLowerCase().split(/\s+/).filter(Boolean).map(condition);
  let count = 0;
  for (const row of rows.values()) {
    row.hidden = !conditions.every((holds) => holds(row));
    count += !row.hidden;
  }
  for (const figure of figures) figure.fade((trial) => !rows.get(trial)?.hidden);
  output.textContent = conditions.length ? `${count} of ${rows.size} trials` : "";
}

if (body) {
  for (const head of heads) head.querySelector("button").addEventListener("click", () => order(head));
  const tools = document.querySelector(".tools");
  tools.hidden = false;
  const output = tools.querySelector("output");
  const input = tools.querySelector("[type=search]");
  input.addEventListener("input", () => filter(input.value, output));
  tools.querySelectorAll("[type=checkbox]").forEach((box, i) => {
    box.addEventListener("change", () => {
      heads[i].hidden = !box.checked;
      for (const row of body.rows) row.cells[i].hidden = !box.checked;
      if (marked !== null) choose(marked);
    });
  });
  body.addEventListener("click", (event) => {
    const trial = event.target.closest("tr")?.dataset.trial;
    if (trial !== undefined && getSelection().isCollapsed) choose(trial === marked ? null : trial);
  });
  region.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") choose(null);
    if (!step || event.target !== region) return;
    const shown = Array.from(body.rows).filter((row) => !row.hidden);
    const next = shown[shown.indexOf(rows.get(marked)) + step] ?? (marked === null ? shown[0] : null);
    if (next) choose(next.dataset.trial);
    event.preventDefault();
  });
}

// ---- Commands

for (const text of document.querySelectorAll(".command pre")) {
  const button = element("button", "Copy", { type: "button" });
  text.after(button);
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      document.execCommand("copy"); // where a page from the disk may not use the clipboard
    }
    button.textContent = "Copied";
  });
}
