// The drawing of a network and its table, linked: what is pointed at or focused in one is marked in the other.
function architecture(root, data, svg) {
  const open = new Set();
  const drawing = element("div", { class: "drawing" });
  const table = element("tbody");
  const someOpen = data.rows.some((row) => row.opens);
  const hint = "Arrow keys go from layer to layer. A block (+) opens and closes by a click or Enter.";
  const cells = (row, tag) => row.map((text, k) => element(tag, { class: k < data.numbers ? null : "n" }, text));
  const header = cells(data.header, "th");
  for (const th of header) th.setAttribute("scope", "col");
  root.append(
    element("style", {}, data.style),
    drawing,
    element("p", { class: "hint" }, someOpen ? hint : hint.split(". ")[0] + "."),
    element("div", { class: "table" },
      element("table", {},
        element("thead", {}, element("tr", {}, ...header)),
        table,
        element("tfoot", {}, element("tr", {}, ...cells(data.total, "td"))))),
    element("p", { class: "notes" }, data.notes.join(" ")),
  );
  drawing.innerHTML = svg;
  drawing.querySelector("style").remove(); // its colours follow the system, not the page
  for (const row of data.rows) table.append(tableRow(row));
  bind(drawing);
  refresh();

  function tableRow(row) {
    const attributes = { onclick: () => select(row.key, true), onfocus: () => mark(row.key) };
    const name = element("button", { ...attributes, "aria-expanded": row.opens ? "false" : null }, row.cells[0]);
    name.style.marginLeft = `${row.level * 18 + (row.opens || !someOpen ? 0 : 15)}px`;
    const [first, ...others] = cells(row.cells, "td");
    first.replaceChildren(name);
    return element("tr", { "data-key": row.key, onmouseenter: () => mark(row.key) }, first, ...others);
  }

  // Makes the slabs of a strip reachable by keys: one of them by Tab, its neighbours by the arrows.
  function bind(strip) {
    strip.querySelector("svg").setAttribute("role", "group");
    const slabs = [...strip.querySelectorAll(".box")];
    slabs.forEach((slab, k) => {
      const key = slab.dataset.box, row = data.rows.find((row) => row.key === key);
      slab.setAttribute("role", "button");
      slab.setAttribute("tabindex", k ? -1 : 0);
      slab.setAttribute("aria-label", slab.querySelector("title").textContent);
      if (row.opens) slab.setAttribute("aria-expanded", "false");
      slab.addEventListener("mouseenter", () => mark(key));
      slab.addEventListener("focus", () => mark(key));
      slab.addEventListener("click", () => select(key));
      slab.addEventListener("keydown", (event) => {
        const to = { ArrowRight: k + 1, ArrowLeft: k - 1, Home: 0, End: slabs.length - 1 }[event.key];
        if (event.key === "Enter" || event.key === " ") select(key);
        else if (slabs[to]) {
          slab.setAttribute("tabindex", -1);
          slabs[to].setAttribute("tabindex", 0);
          slabs[to].focus();
        } else return;
        event.preventDefault();
      });
    });
  }

  function select(key, fromTable = false) {
    mark(key);
    if (!(key in data.strips)) return;
    if (open.has(key)) for (const inner of [...open]) inner === key || inner.startsWith(`${key}.`) ? open.delete(inner) : null;
    else open.add(key);
    refresh();
    if (!fromTable && open.has(key)) drawing.querySelector(`[data-inside="${key}"]`).scrollIntoView({ block: "nearest" });
  }

  function mark(key) {
    for (const found of root.querySelectorAll("[data-key], .box"))
      found.classList.toggle("marked", (found.dataset.key ?? found.dataset.box) === key);
  }

  // Shows the strips and the rows of what is open, in the order of the table.
  function refresh() {
    const shown = (key) => !key.includes(".") || open.has(key.slice(0, key.lastIndexOf(".")));
    for (const old of drawing.querySelectorAll(".inside")) if (!open.has(old.dataset.inside)) old.remove();
    let after = drawing.querySelector("svg");
    for (const row of data.rows) {
      const tr = table.querySelector(`[data-key="${row.key}"]`);
      tr.hidden = !shown(row.key);
      const expanded = String(open.has(row.key));
      if (row.opens) for (const one of [tr.querySelector("button"), drawing.querySelector(`[data-box="${row.key}"]`)]) one?.setAttribute("aria-expanded", expanded);
      if (!open.has(row.key)) continue;
      let inside = drawing.querySelector(`[data-inside="${row.key}"]`);
      if (!inside) {
        const close = element("button", { onclick: () => select(row.key), "aria-label": `Close ${row.name}` }, "Close");
        inside = element("div", { class: "inside", "data-inside": row.key }, element("h3", {}, row.cells[0], close));
        inside.insertAdjacentHTML("beforeend", data.strips[row.key]);
        after.after(inside);
        bind(inside);
      }
      after = inside;
    }
  }
}
