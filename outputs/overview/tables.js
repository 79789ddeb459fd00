// Sorting and filtering of the lists; the page says the same without it.
"use strict";
for (const table of document.querySelectorAll("table[data-filter]")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells], words = table.dataset;
  const inOrder = new Intl.Collator("nb", { numeric: true });
  let rows = [...body.rows]; // in the order they are shown
  const said = (row, at) => row.cells[at].dataset.s ?? row.cells[at].textContent.trim();
  const make = (name, into, text) => { const made = into.appendChild(document.createElement(name)); made.textContent = text ?? ""; return made; };

  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = rows.map((row) => [said(row, at), row]);
      keyed.sort(([a], [b]) => (a === "") - (b === "") || (down ? inOrder.compare(b, a) : inOrder.compare(a, b)));
      rows = keyed.map(([, row]) => row);
      show();
      body.append(...rows);
    });
  });

  const tools = document.createElement("div"), label = make("label", tools, words.filter), box = make("input", label);
  tools.className = "tools";
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", table.caption.textContent);
  box.type = "search";
  const choosers = heads.flatMap((head, at) => {
    if (!head.classList.contains("s")) return [];
    const chooser = make("select", make("label", tools, words.by + " " + head.textContent.toLowerCase()));
    make("option", chooser, words.all).value = "";
    const found = [...new Set(rows.map((row) => row.cells[at].textContent.trim()))].sort(inOrder.compare);
    found.forEach((text) => { make("option", chooser, text).value = text; });
    return [[chooser, at]];
  });
  const count = make("output", tools);
  table.parentNode.before(tools);

  const texts = new Map();
  const text = (row) => texts.get(row) ?? texts.set(row, row.textContent.toLowerCase()).get(row);
  const show = () => { // as many rows as a browser lays out at once; what is sought is sought in all
    const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits = shown < Number(words.most) && wanted.every((word) => text(row).includes(word)) &&
        choosers.every(([chooser, at]) => !chooser.value || row.cells[at].textContent.trim() === chooser.value);
      if (row.hidden === fits) row.hidden = !fits;
      shown += fits;
    }
    count.textContent = words.shown.replace("%n", shown).replace("%t", rows.length);
  };
  box.addEventListener("input", show);
  choosers.forEach(([chooser]) => chooser.addEventListener("change", show));
  if (rows.length > Number(words.most)) show();
}
