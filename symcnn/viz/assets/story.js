// The compiler's story: a tab for each stage. What is in them comes packed and is unpacked when the page opens.
function story(root, data) {
  const content = unpacked(data.packed);
  const names = ["overview", ...data.stages.map((s) => s.name)];
  names.splice(names.indexOf("nests"), 0, "rewrites"); // they lie between the graphs and what is made of the last one
  if (data.times) names.push("times");
  const graphs = data.stages.filter((s) => s.nodes !== null).map((s) => s.name);
  const fill = {
    overview: (panel) => panel.append(storyOverview(data, (name) => tabs.open(name))),
    rewrites: (panel, c) => replay(panel, c.replay),
    nests: (panel, c) => nests(panel, c),
    plan: (panel, c) => timeline(panel, c.memory),
    kernels: (panel, c) => kernels(panel, c),
    times: (panel, c) => times(panel, c.times),
  };
  for (const name of graphs) fill[name] = (panel, c) => storyGraph(panel, name, c, data.stages);
  const tabs = tabbed(names, (panel, name) => {
    if (name === "overview") return fill.overview(panel);
    return content.then((c) => fill[name](panel, c)).catch((error) => {
      console.error("symcnn:", error);
      panel.textContent = "This part of the page could not be shown.";
    });
  });
  root.append(element("div", { class: "story" }, tabs.bar, tabs.panels));
}

// A promise of what story.py packed: JSON, deflated, in base 64.
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// Tabs as browsers and screen readers expect them: arrow keys move, one of them can be reached with Tab.
function tabbed(names, fill) {
  const buttons = {};
  const panels = {};
  const bar = element("div", { class: "tabs", role: "tablist", "aria-label": "stages" });
  const all = element("div", {});
  function open(name, focus = false) {
    for (const n of names) {
      buttons[n].setAttribute("aria-selected", n === name);
      buttons[n].tabIndex = n === name ? 0 : -1;
      panels[n].hidden = n !== name;
    }
    if (!panels[name].dataset.filled) {
      panels[name].dataset.filled = true;
      fill(panels[name], name);
    }
    if (focus) buttons[name].focus();
  }
  for (const name of names) {
    const id = `tab-${name}`; // a shadow root has ids of its own
    buttons[name] = element("button", { type: "button", role: "tab", id, "aria-controls": `${id}-panel`, onclick: () => open(name) }, name);
    panels[name] = element("section", { class: "panel", role: "tabpanel", id: `${id}-panel`, "aria-labelledby": id });
    bar.append(buttons[name]);
    all.append(panels[name]);
  }
  bar.addEventListener("keydown", (event) => {
    const at = names.findIndex((n) => buttons[n].getAttribute("aria-selected") === "true");
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    open(names[(to + names.length) % names.length], true);
  });
  open(names[0]);
  return { bar, panels: all, open };
}

function storyOverview(data, open) {
  const facts = data.facts.map(([label, value]) => element("div", {}, element("b", {}, value), element("span", {}, label)));
  const most = Math.max(...data.stages.map((s) => s.nodes ?? 0), 1);
  const rows = data.stages.map((s) => {
    const bar = element("span", { class: "stripe", style: `width: ${s.nodes === null ? 0 : Math.max((130 * s.nodes) / most, 2)}px` });
    const nodes = s.nodes === null ? [] : [`${s.nodes.toLocaleString("en")} nodes`];
    return element(
      "li",
      {},
      element("button", { type: "button", onclick: () => open(s.name) }, s.name),
      element("span", { class: "amount" }, bar, [...nodes, s.note].filter(Boolean).join(", ")),
      element("span", { class: "soft" }, s.about),
    );
  });
  const rewrites = data.rewrites && element("button", { type: "button", onclick: () => open("rewrites") }, `Replay the rewrites (${data.rewrites.toLocaleString("en")})`);
  return element("div", {}, element("div", { class: "facts" }, ...facts), element("ol", { class: "pipeline" }, ...rows), rewrites || "");
}

function storyGraph(panel, name, content, stages) {
  const at = stages.findIndex((s) => s.name === name);
  let from = name;
  for (let k = at; content.graphs[from] === null; k -= 1) from = stages[k - 1].name;
  const graph = content.graphs[from];
  const { about, nodes, note } = stages[at];
  panel.append(element("p", { class: "about" }, `${about}. ${nodes.toLocaleString("en")} nodes${from === name ? note && `, ${note}` : `, unchanged since ${from}`}.`));
  const text = element("pre", { class: "long", tabindex: 0, role: "region", "aria-label": `${name} as text` }, graph.text);
  if (graph.svg) {
    const drawing = element("div", {});
    graphView(drawing, graph.view, graph.svg);
    panel.append(drawing, element("details", {}, element("summary", {}, "The same as text"), text));
  } else if (nodes) {
    panel.append(element("p", { class: "soft" }, `Of a graph so large only the first and the last stage are drawn here; sc.draw(f, stage="${from}") draws this one.`), text);
  }
}
