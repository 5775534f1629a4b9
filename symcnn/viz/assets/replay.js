// Rewrites one by one: the rule and where it is written, what it took away and what it put there.
function replay(root, data) {
  if (!data.steps.length) {
    root.append(element("p", {}, "No rule applied: the expression was as simple as the rules could make it."));
    return;
  }
  const bounded = data.steps.length < data.total;
  const scene = element("div", { class: "scene", role: "group", "aria-label": "rewrite" });
  const bar = player(data.steps.length, show, { label: "rewrite", seconds: 2.2, keys: scene });
  const table = element("table", {}, element("tr", {}, ...["phase", "rule", "where", "applied", "first"].map((h) => element("th", { scope: "col" }, h))));
  data.rules.forEach(([phase, rule, place, , count], k) => {
    const first = data.steps.findIndex((s) => s.rule === k);
    const go = first < 0 ? "" : element("button", { type: "button", onclick: () => bar.go(first) }, "show");
    table.append(element("tr", {}, element("td", {}, phase), element("td", {}, rule), element("td", {}, element("code", {}, place)), element("td", { class: "n" }, count.toLocaleString("en")), element("td", {}, go)));
  });
  const told = bounded ? ` Here are ${data.steps.length} of them: of every rule the first ones.` : "";
  root.append(
    element("p", {}, `Rules were applied ${data.total === 1 ? "once" : `${data.total.toLocaleString("en")} times`}.${told}`),
    bar,
    scene,
    element("h2", {}, "Rule by rule"),
    element("div", { class: "long", tabindex: 0, role: "region", "aria-label": "rules" }, table),
  );

  function show(index) {
    const step = data.steps[index];
    const [phase, rule, place, source] = data.rules[step.rule];
    const side = (name, [formula, picture]) => {
      const drawn = element("div", { class: "drawn" });
      drawn.innerHTML = picture;
      return element("div", {}, element("h3", {}, name), element("code", { class: "formula" }, formula), drawn);
    };
    const where = step.where.length ? [element("p", { class: "soft" }, "where ", ...step.where.flatMap((w, k) => [k ? element("br") : "", element("code", {}, w)]))] : [];
    scene.replaceChildren(
      element("h2", {}, rule),
      element("p", { class: "soft" }, `${phase}, `, element("code", {}, place)),
      element("div", { class: "sides" }, side("before", step.before), element("span", { class: "becomes", "aria-label": "becomes" }, "→"), side("after", step.after)),
      ...where,
      replayLines(step.lines),
      element("details", { open: true }, element("summary", {}, "The rule"), python(source)),
    );
    return `rewrite ${index + 1} of ${data.steps.length}${bounded ? `, number ${(step.number + 1).toLocaleString("en")} of ${data.total.toLocaleString("en")}` : ""}`;
  }
}

function replayLines(lines) {
  const kinds = { "-": "removed", "+": "added", " ": "" };
  return element("pre", { class: "diff", tabindex: 0, role: "region", "aria-label": "what changed, as text" }, ...lines.split("\n").map((line) => element("span", { class: kinds[line[0]] }, `${line.replace(/^-/, "−")}\n`)));
}
