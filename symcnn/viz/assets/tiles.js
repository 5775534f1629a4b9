// Small pictures of which one is shown large: the one that was clicked, or that the arrow keys lead to.
function tiles(root, data, svg) {
  const strip = element("div", { class: "strip" });
  const large = element("img", { alt: "" });
  const title = element("h3");
  const facts = element("p");
  const hint = element("p", { class: "hint" }, "Click a picture to see it large, or move with the arrow keys.");
  root.append(
    element("style", {}, data.style),
    element("div", { class: "large" }, large, element("div", { role: "status" }, title, facts, hint)),
    strip,
  );
  strip.innerHTML = svg;
  const picture = strip.querySelector("svg");
  picture.querySelector("style").remove(); // its colours follow the system, not the page
  picture.setAttribute("role", "group");
  const columns = [...picture.querySelectorAll(".column")].map((column) => [...column.querySelectorAll(".tile")]);
  columns.forEach((column, across) => column.forEach((tile, down) => {
    tile.setAttribute("role", "button");
    tile.setAttribute("tabindex", -1);
    tile.setAttribute("aria-label", tile.querySelector("title").textContent);
    tile.addEventListener("click", () => choose(tile));
    tile.addEventListener("focus", () => choose(tile));
    tile.addEventListener("keydown", (event) => {
      const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const column = columns[across + step[0]] ?? columns[across];
      column[Math.max(0, Math.min(down + step[1], column.length - 1))].focus();
    });
  }));
  choose((columns[data.start] ?? columns[0])[0]);

  function choose(chosen) {
    for (const tile of picture.querySelectorAll(".tile")) {
      tile.setAttribute("aria-pressed", String(tile === chosen));
      tile.setAttribute("tabindex", tile === chosen ? 0 : -1);
    }
    large.src = chosen.querySelector("image").getAttribute("href");
    large.alt = chosen.dataset.name;
    title.textContent = chosen.dataset.name;
    facts.textContent = chosen.dataset.facts;
  }
}
