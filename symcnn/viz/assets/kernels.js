// Lists to choose from, and what is chosen beside them: the loops of each kernel, and its source.

// items: { title, note, text }; show(index, panel) fills the panel; the field filters by all three.
function chooser(items, label, show) {
  let chosen = 0;
  const list = element("ul", { role: "listbox", "aria-label": label, tabindex: 0 });
  const panel = element("div", { class: "detail", role: "region", "aria-label": "chosen", tabindex: 0 });
  const count = element("output", { class: "soft" });
  const filter = element("input", { type: "search", placeholder: `filter ${label}`, "aria-label": `filter ${label}` });
  const entries = items.map((item, k) => {
    const entry = element("li", { role: "option", id: `${label}-${k}`, onclick: () => choose(k) }, element("b", {}, item.title), element("span", {}, item.note));
    list.append(entry);
    return entry;
  });
  const visible = () => items.map((_, k) => k).filter((k) => !entries[k].hidden);

  function choose(k) {
    entries[chosen].setAttribute("aria-selected", false);
    chosen = k;
    entries[k].setAttribute("aria-selected", true);
    list.setAttribute("aria-activedescendant", entries[k].id);
    entries[k].scrollIntoView({ block: "nearest" });
    panel.replaceChildren();
    panel.scrollTop = 0;
    show(k, panel);
  }
  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/);
    items.forEach((item, k) => {
      const text = `${item.title} ${item.note} ${item.text}`.toLowerCase();
      entries[k].hidden = !words.every((word) => text.includes(word));
    });
    const left = visible();
    count.textContent = left.length === items.length ? `${items.length}` : `${left.length} of ${items.length}`;
    if (left.length && entries[chosen].hidden) choose(left[0]);
  }
  filter.addEventListener("input", narrow);
  list.addEventListener("keydown", (event) => {
    const left = visible();
    const at = left.indexOf(chosen);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: left.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (left.length) choose(left[Math.max(0, Math.min(left.length - 1, to))]);
  });
  const made = element("div", { class: "chooser" }, element("div", { class: "side" }, element("div", { class: "filter" }, filter, count), list), panel);
  narrow();
  if (items.length) choose(0);
  made.choose = (k) => {
    filter.value = "";
    narrow();
    choose(k);
  };
  return made;
}

function kernelItems(content, text) {
  return content.kernels.map((k, number) => ({
    title: `${number}: ${k.name}`,
    note: `${k.algorithm} -> ${k.writes.map((w) => w.split(" : ")[1]).join(", ")}`,
    text: `${k.ops.join(" ")} ${text(k)}`,
  }));
}

function kernelHead(k, number) {
  const block = (lines) => element("div", {}, ...lines.map((line) => element("code", {}, line)));
  const row = (name, value) => [element("dt", {}, name), element("dd", {}, value)];
  return [
    element("h2", {}, `Kernel ${number}: ${k.name}`),
    element("dl", {}, ...row("computes", block(k.ops)), ...row("reads", k.reads.join(", ") || "nothing"), ...row("writes", block(k.writes)), ...row("algorithm", k.algorithm)),
  ];
}

function kernels(panel, content) {
  const users = content.sources.map(() => []);
  content.kernels.forEach((k, number) => users[k.source].push(number));
  panel.append(
    element("p", {}, `${content.kernels.length} kernels run one after the other; ${content.sources.length} sources, each compiled once. Sizes are arguments, so a new batch size compiles nothing.`),
    chooser(kernelItems(content, (k) => content.sources[k.source]), "kernels", (number, detail) => {
      const k = content.kernels[number];
      const others = users[k.source].filter((n) => n !== number);
      const shared = others.length ? [element("p", { class: "soft" }, `The same source is kernel ${others.join(", ")}.`)] : [];
      detail.append(...kernelHead(k, number), ...shared, python(content.sources[k.source]));
    }),
  );
}

function nests(panel, content) {
  const list = chooser(kernelItems(content, (k) => k.nest), "nests", (number, detail) => {
    const k = content.kernels[number];
    detail.append(...kernelHead(k, number), element("h3", {}, "Loops"), element("pre", {}, k.nest));
  });
  const rows = content.ops.map(([name, op, type, by]) => {
    const groups = typeof by === "string" ? [element("span", { class: "soft" }, by)] : by.map(chip);
    return element("tr", {}, element("td", {}, element("code", {}, name)), element("td", {}, element("code", {}, op)), element("td", { class: "type" }, element("code", {}, type)), element("td", {}, ...groups));
  });
  function chip(number) {
    const open = () => {
      list.choose(number);
      list.scrollIntoView({ block: "nearest" });
    };
    return element("button", { type: "button", class: `chip of-${number % 4}`, title: content.kernels[number].name, onclick: open }, `kernel ${number}`);
  }
  const head = element("tr", {}, ...["name", "op", "type", "computed by"].map((h) => element("th", { scope: "col" }, h)));
  panel.append(
    element("p", {}, "Ops that can share their loops are fused into one nest: what lies between them never reaches memory."),
    list,
    element("h2", {}, "Which op went into which kernel"),
    element("div", { class: "long", tabindex: 0, role: "region", "aria-label": "ops and their kernels" }, element("table", {}, head, ...rows)),
  );
}

// Python with its comments, texts, words and numbers told apart.
function python(source) {
  const token = /(#.*)|("""[^]*?"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\b(def|class|return|for|in|if|elif|else|while|and|or|not|is|None|True|False|lambda|import|from|pass|break|continue|with|as|raise|range)\b|\b(\d[\w.]*)/g;
  const code = element("code", {});
  let end = 0;
  for (const found of source.matchAll(token)) {
    const kind = ["comment", "text", "word", "number"][found.slice(1).findIndex((group) => group !== undefined)];
    code.append(source.slice(end, found.index), element("span", { class: kind }, found[0]));
    end = found.index + found[0].length;
  }
  code.append(source.slice(end));
  return element("pre", { class: "python", tabindex: 0, role: "region", "aria-label": "Python source" }, code);
}
