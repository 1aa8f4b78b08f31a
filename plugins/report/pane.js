// What opens under a row.

const SHOWN = 20; // lines of a list that are shown at first

function copied(text) {
  // Not every viewer has a clipboard for scripts: then the text is selected and copied as by hand.
  const place = make("textarea", { class: "away", readonly: "", "aria-hidden": "true" });
  const focused = document.activeElement;
  place.value = text;
  document.body.append(place);
  place.select();
  const done = document.execCommand("copy");
  place.remove();
  focused?.focus();
  return done;
}

function copyButton(text, what) {
  const button = make("button", { type: "button", class: "copy", text: "Copy", "aria-label": `Copy ${what}` });
  button.addEventListener("click", async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = copied(text);
    }
    button.textContent = done ? "Copied" : "Select it and copy";
    document.getElementById("said").textContent = done ? "Copied" : "It could not be copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return button;
}

function typed(text, what) {
  return make("div", { class: "typed" }, make("pre", {}, make("code", { text })), copyButton(text, what));
}

function prose(text) {
  // What stands between backticks is what a person types.
  const parts = text.split("`");
  const whole = parts.length % 2 ? parts : [...parts.slice(0, -2), parts.slice(-2).join("`")];
  return make("p", { dir: "auto" }, ...whole.map((part, place) => (place % 2 ? make("code", { text: part }) : part)));
}

function lines(list, tag = "li", kind = () => undefined) {
  const item = (text) => make(tag, { dir: "auto", class: kind(text), text });
  const listing = make(tag === "li" ? "ul" : "pre", tag === "li" ? { class: "lines" } : { class: "diff" }, ...list.slice(0, SHOWN).map(item));
  if (list.length <= SHOWN) return [listing];
  const rest = make("button", { type: "button", class: "more", text: `Show ${list.length - SHOWN} more lines` });
  rest.addEventListener("click", () => {
    listing.append(...list.slice(SHOWN).map(item));
    rest.remove();
  });
  return [listing, rest];
}

function changed(line) {
  if (/^(\+\+\+|---|@@)/.test(line)) return "place";
  return { "+": "added", "-": "taken" }[line[0]];
}

function away(url, text = url) {
  return make("a", { href: url, rel: "noopener noreferrer", target: "_blank", text });
}

function part(title, ...content) {
  return content.length ? make("section", {}, make("h3", { text: title }), ...content) : undefined;
}

function whatToDo(row) {
  const found = [];
  if (row.hint) found.push(prose(row.hint));
  for (const command of row.commands ?? []) found.push(typed(command, "a command"));
  return part("What to do", ...found);
}

function cureOf(row) {
  const found = [];
  if (row.ability) found.push(prose(row.ability));
  if (row.plan) found.push(make("h4", { text: "Plan" }), typed(row.plan.join("\n"), "the plan"));
  if (row.diff) found.push(make("h4", { text: "Changes" }), ...lines(row.diff, "div", changed));
  if (row.undo) found.push(make("h4", { text: "Undo" }), typed(row.undo, "the undo"));
  return part("Cure", ...found);
}

function readOn(row) {
  const found = [];
  if (row.pageLink) found.push(make("li", {}, "The check: ", away(row.pageLink, row.page)));
  else if (row.page) found.push(make("li", {}, "The check: ", make("code", { text: row.page })));
  if (row.guide) found.push(make("li", { text: `Guide: ${row.guide.join(", ")}` }));
  for (const url of row.links ?? []) found.push(make("li", {}, "Upstream: ", away(url)));
  for (const text of row.refs ?? []) found.push(make("li", { dir: "auto", text: `Upstream: ${text}` }));
  return part("Read on", ...(row.explain ? [typed(row.explain, "what prints the page of the check")] : []), ...(found.length ? [make("ul", {}, ...found)] : []));
}

function times(row) {
  const found = (row.past ?? []).map((text) => make("li", { text }));
  if (row.flapping) found.push(make("li", { text: "changes often: its change says little" }));
  if (row.took) found.push(make("li", { text: `looked at in ${row.took}` }));
  return part("Times", ...(found.length ? [make("ul", {}, ...found)] : []));
}

function paneOf(row) {
  const list = (title, values) => values && part(title, ...lines(values));
  const text = (title, value) => value && part(title, prose(value));
  const root = row.blocked && part("Blocked by", make("a", { href: `#${new URLSearchParams({ open: row.blocked })}`, text: row.blocked }));
  const main = [list("Evidence", row.evidence), list("Measures", row.measures), root || undefined, text("Silenced", row.silenced) || undefined, whatToDo(row), cureOf(row)];
  const side = [text("Why it matters", row.why) || undefined, times(row), readOn(row)];
  const columns = [["main", main], ["side", side]].map(([name, parts]) => make("div", { class: name }, ...parts.filter(Boolean)));
  return make("tr", { class: "pane", role: "row", id: `pane-${row.place}` }, make("td", { colspan: String(COLUMNS.length), role: "cell" }, make("div", { class: "columns" }, ...columns)));
}

start();
