(() => {
"use strict";
// Comfort only: without this script everything is there, worst rows first.
const table = document.getElementById("t-ranking");
const radios = [...document.querySelectorAll("input[type=radio]")];
let sorted = null, query = "";

const state = () => {
  const parts = new URLSearchParams();
  if (sorted) parts.set("s", sorted.column + (sorted.up ? "u" : "d"));
  if (query) parts.set("q", query);
  for (const radio of radios) if (radio.checked && !radio.defaultChecked) parts.append("r", radio.id);
  const text = parts.toString();
  if (text || location.hash.startsWith("#?")) history.replaceState(null, "", "#?" + text);
};

for (const radio of radios) radio.addEventListener("change", state);

if (table) {
  const heads = [...table.tHead.rows[0].cells], rows = [...table.tBodies[0].rows];
  const live = document.createElement("p");
  live.className = "live";
  live.setAttribute("aria-live", "polite");
  const label = document.createElement("label"), input = document.createElement("input");
  input.type = "search";
  input.id = "q";
  label.className = "search";
  label.append("Only rows with ", input);
  const place = table.parentElement;
  place.before(label, live);

  const key = (row, column) => {
    const cell = row.cells[column], text = cell.dataset.k;
    return text === undefined ? cell.textContent.trim() : Number(text);
  };
  // Numbers before words and gaps, which stay last in either direction; equal rows keep the order of the page.
  const compare = (a, b, column, up) => {
    const x = key(a, column), y = key(b, column), n = typeof x === "number", m = typeof y === "number";
    if (n !== m) return n ? -1 : 1;
    const order = n ? x - y : x < y ? -1 : x > y ? 1 : 0;
    return up ? order : -order;
  };
  const sort = (column, up) => {
    sorted = { column, up };
    heads.forEach((head, i) => i === column ? head.setAttribute("aria-sort", up ? "ascending" : "descending") : head.removeAttribute("aria-sort"));
    table.tBodies[0].append(...rows.slice().sort((a, b) => compare(a, b, column, up)));
    live.textContent = "Sorted by " + heads[column].textContent + (up ? ", ascending" : ", descending");
    state();
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(column, sorted && sorted.column === column ? !sorted.up : true));
  });
  const filter = () => {
    query = input.value.trim();
    const words = query.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    live.textContent = query ? shown + " of " + rows.length + " rows have " + query : "";
    state();
  };
  input.addEventListener("input", filter);

  const given = new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(2) : "");
  for (const id of given.getAll("r")) {
    const radio = radios.find(radio => radio.id === id);
    if (radio) radio.checked = true;
  }
  const order = /^(\d{1,2})([ud])$/.exec(given.get("s") || "");
  if (order && Number(order[1]) < heads.length) sort(Number(order[1]), order[2] === "u");
  if (given.get("q")) {
    input.value = given.get("q").slice(0, 200);
    filter();
  }
}
})();
