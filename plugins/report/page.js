"use strict";
// The table of findings: made of text nodes alone, so that nothing in the data can become a tag.
// What is chosen stands in the address: #outcome=ill&severity=P0&system=…&changed=new&q=…&sort=…&open=ID

const ROWS = JSON.parse(document.getElementById("data").textContent);
const FIRST = 120; // rows that are drawn at once; the others follow while nothing else is to do
const MANY = 600; // rows of which only those in sight are laid out
const GROUPS = {
  outcome: ["ill", "cannot_tell", "not_run", "blocked", "fixed", "silenced", "absent", "healthy"],
  severity: ["P0", "P1", "P2", "P3"],
  changed: ["new", "worse", "fixed", "still", "flapping"],
  system: [...new Set(ROWS.map((row) => row.system))].sort(),
};
const COLUMNS = [
  ["worst", "State", (row) => row.place],
  ["check", "Check", (row) => row.id],
  ["system", "System", (row) => row.system],
  ["change", "Change", (row) => GROUPS.changed.indexOf(row.change ?? "") + 1 || 9],
  ["cure", "Cure", (row) => row.cure ?? "~"],
  ["time", "Time", (row) => row.seconds ?? 0],
];
const SIGNS = { ill: "✗", healthy: "✓", fixed: "✓" };
const WORDS = { cannot_tell: "cannot tell", not_run: "not run", flapping: "changes often" };
const chosen = { q: "", sort: "worst", open: "" };
const pressed = new Map(); // "group value" -> its button
let pending = 0; // the call that draws the next rows
let table, body, count, search;

const word = (value) => WORDS[value] ?? value;

function make(tag, words = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(words)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

ROWS.forEach((row, place) => {
  row.place = place; // they come worst first
  row.changed = [row.change, row.flapping && "flapping"].filter(Boolean);
});

function read(hash) {
  const words = new URLSearchParams(hash.slice(1));
  for (const [group, values] of Object.entries(GROUPS)) {
    chosen[group] = new Set(words.getAll(group).filter((value) => values.includes(value)));
  }
  chosen.q = words.get("q") ?? "";
  const sort = words.get("sort") ?? "";
  chosen.sort = COLUMNS.some(([name]) => name === sort.replace(/^-/, "")) ? sort : "worst";
  chosen.open = words.get("open") ?? "";
}

function write() {
  const words = new URLSearchParams();
  for (const group of Object.keys(GROUPS)) chosen[group].forEach((value) => words.append(group, value));
  if (chosen.q) words.set("q", chosen.q);
  if (chosen.sort !== "worst") words.set("sort", chosen.sort);
  if (chosen.open) words.set("open", chosen.open);
  const hash = `#${words}` === "#" ? "#findings" : `#${words}`;
  try {
    history.replaceState(null, "", hash);
  } catch { /* a viewer that forbids it; all else works */ }
}

function said(row) {
  row.said ??= [row.id, row.title, row.message, row.hint, row.why, row.system, row.cure,
    ...(row.evidence ?? []), ...(row.plan ?? []), ...(row.guide ?? [])].join("\n").toLowerCase();
  return row.said;
}

function fits(row, but) {
  for (const group of Object.keys(GROUPS)) {
    const wanted = chosen[group];
    if (group === but || !wanted.size) continue;
    if (group === "changed" ? !row.changed.some((value) => wanted.has(value)) : !wanted.has(row[group])) return false;
  }
  return chosen.q.toLowerCase().split(/\s+/).every((part) => said(row).includes(part));
}

function sorted(rows) {
  const down = chosen.sort.startsWith("-");
  const key = COLUMNS.find(([name]) => name === chosen.sort.replace(/^-/, ""))[2];
  const keyed = rows.map((row) => [key(row), row]);
  keyed.sort(([one, a], [other, b]) => (one < other ? -1 : one > other ? 1 : a.place - b.place));
  if (down) keyed.reverse();
  return keyed.map(([, row]) => row);
}

const cell = (name, ...children) => make("td", { class: name, role: "cell" }, ...children);

function drawn(row) {
  if (row.element) return row.element;
  const ill = row.outcome === "ill";
  const state = make("span", { class: `badge ${ill ? row.severity : row.outcome}`, text: ill ? row.severity : word(row.outcome) });
  const button = make("button", { type: "button", class: "row", "aria-expanded": "false", "aria-controls": `pane-${row.place}`, dir: "auto" },
    SIGNS[row.outcome] && make("span", { class: "sign", "aria-hidden": "true", text: SIGNS[row.outcome] }), row.title?.replaceAll("`", "") || row.id);
  const change = row.changed.map((value) => make("span", { class: `mark ${value}`, text: word(value) }));
  if (row.age && /still|worse/.test(row.change)) change.push(make("small", { text: `for ${row.age}` }));
  row.element = make("tr", { role: "row", class: row.outcome },
    cell("state", state),
    cell("check", button, row.message && row.outcome !== "healthy" ? make("span", { class: "told", dir: "auto", text: row.outcome === "fixed" ? `It was: ${row.message}` : row.message }) : undefined, make("code", { text: row.id, dir: "auto" })),
    cell("system", row.system),
    cell("change", ...change),
    cell("cure", row.cure ?? ""),
    cell("time", row.took ?? ""));
  row.button = button;
  row.element.addEventListener("click", (event) => {
    if (!getSelection().toString() || event.target === button) toggle(row);
  });
  return row.element;
}

function expand(row, open) {
  row.button.setAttribute("aria-expanded", String(open));
  if (!row.pane && open) row.pane = paneOf(row);
  if (open) row.element.after(row.pane);
  else row.pane?.remove();
}

function toggle(row, open = row.button.getAttribute("aria-expanded") !== "true") {
  expand(row, open);
  if (open) chosen.open = row.id;
  else if (chosen.open === row.id) chosen.open = "";
  write();
}

function draw() {
  cancel();
  const rows = sorted(ROWS.filter((row) => fits(row)));
  body.replaceChildren();
  table.classList.toggle("many", rows.length > MANY);
  more(rows, 0, FIRST);
  count.textContent = rows.length === ROWS.length ? `${rows.length} checks` : `${rows.length} of ${ROWS.length} checks`;
  document.getElementById("nothing").hidden = rows.length > 0;
  for (const [name, button] of pressed) {
    const [group, value] = name.split(/ (.*)/s);
    button.setAttribute("aria-pressed", String(chosen[group].has(value)));
  }
  for (const head of table.tHead.rows[0].cells) {
    const [name, down] = [head.dataset.column, chosen.sort.startsWith("-")];
    const here = chosen.sort.replace(/^-/, "") === name;
    if (here) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  tally();
}

function more(rows, from, some) {
  const part = document.createDocumentFragment();
  for (const row of rows.slice(from, from + some)) {
    part.append(drawn(row));
    if (row.button.getAttribute("aria-expanded") === "true") part.append(row.pane);
  }
  body.append(part);
  body.rest = from + some < rows.length ? () => more(rows, from + some, some === Infinity ? some : 400) : undefined;
  if (body.rest) pending = later(body.rest);
}

function drawUntil(done) {
  while (body.rest && !done()) {
    cancel();
    body.rest();
  }
}

const later = (work) => (window.requestIdleCallback ?? setTimeout)(work);
const cancel = () => (window.cancelIdleCallback ?? clearTimeout)(pending);

function tally() {
  // How many there would be of each value, with all that is chosen in the other groups.
  const counts = new Map();
  for (const group of Object.keys(GROUPS)) {
    for (const row of ROWS) {
      if (!fits(row, group)) continue;
      for (const value of group === "changed" ? row.changed : [row[group]]) {
        counts.set(`${group} ${value}`, (counts.get(`${group} ${value}`) ?? 0) + 1);
      }
    }
  }
  for (const [name, button] of pressed) button.lastChild.textContent = counts.get(name) ?? 0;
}

function choose(group, value) {
  if (!chosen[group].delete(value)) chosen[group].add(value);
  write();
  draw();
}

function filters() {
  search = make("input", { type: "search", id: "search", placeholder: "Search: words of ids, sentences, evidence", "aria-label": "Search the findings", autocomplete: "off", spellcheck: "false", oninput: () => { chosen.q = search.value.trim(); write(); draw(); } });
  const clear = make("button", { type: "button", id: "clear", text: "Show all", onclick: () => { location.hash = "#findings"; apply("#findings"); } });
  const groups = Object.entries(GROUPS).map(([group, values]) => {
    const there = values.filter((value) => ROWS.some((row) => (group === "changed" ? row.changed.includes(value) : row[group] === value)));
    if (there.length < (group === "changed" ? 1 : 2)) return undefined;
    const buttons = there.map((value) => {
      const button = make("button", { type: "button", class: "filter", "aria-pressed": "false", "data-group": group, "data-value": value, onclick: () => choose(group, value) },
        make("span", { text: word(value) }), " ", make("small"));
      pressed.set(`${group} ${value}`, button);
      return button;
    });
    return make("div", { role: "group", "aria-label": `Filter by ${group}` }, make("span", { class: "label", text: group }), ...buttons);
  });
  count = make("p", { role: "status", class: "quiet" });
  return make("div", { class: "filters" }, make("div", { class: "search" }, search, clear), ...groups, count);
}

function heads() {
  const cells = COLUMNS.map(([name, title]) => {
    const sort = () => {
      chosen.sort = chosen.sort === name ? `-${name}` : name;
      write();
      draw();
    };
    return make("th", { role: "columnheader", scope: "col", class: name, "data-column": name }, make("button", { type: "button", text: title, onclick: sort }));
  });
  return make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...cells));
}

function apply(hash = location.hash) {
  read(hash);
  search.value = chosen.q;
  draw();
  const row = chosen.open && ROWS.find((each) => each.id === chosen.open);
  if (!row) return;
  drawn(row);
  // A row that is drawn later would be moved from under who reads it.
  if (fits(row)) drawUntil(() => row.element.isConnected);
  else body.prepend(row.element);
  toggle(row, true);
  row.element.scrollIntoView({ block: "start" });
  row.button.focus({ preventScroll: true });
}

function go(hash) {
  apply(hash);
  if (!chosen.open && hash.includes("=")) document.getElementById("findings").scrollIntoView();
}

function follow(event) {
  // In a frame without an origin of its own, as some viewers show the page, such a link leads nowhere.
  const link = event.target.closest('a.skip, a[href^="#"][href*="="]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.className === "skip") return document.getElementById("findings").focus(); // and keep the filters
  const hash = link.getAttribute("href");
  try {
    history.pushState(null, "", hash);
  } catch { /* a viewer that forbids it; all else works */ }
  go(hash);
}

function theme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try {
      localStorage.setItem("health-theme", root.dataset.theme);
    } catch { /* it lasts as long as the page */ }
    label();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  label();
}

function start() {
  body = make("tbody", { role: "rowgroup" });
  table = make("table", { role: "table", "aria-labelledby": "findings" }, heads(), body);
  const nothing = make("p", { id: "nothing", text: ROWS.length ? "No finding fits. Take a filter or a word away." : "No check is in this report." });
  document.getElementById("table").append(filters(), table, nothing);
  theme();
  addEventListener("hashchange", () => go(location.hash));
  addEventListener("click", follow);
  // On paper nobody can open a row: all rows are drawn, and what is ill is opened.
  addEventListener("beforeprint", () => {
    drawUntil(() => false);
    for (const row of ROWS) if (row.outcome === "ill" && row.element?.isConnected) expand(row, true);
  });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/INPUT|TEXTAREA/.test(event.target.tagName)) {
      event.preventDefault();
      search.focus();
    }
  });
  apply();
}
