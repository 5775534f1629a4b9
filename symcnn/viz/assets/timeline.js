// The memory plan: bytes by kind, and the arena as a picture of address (upwards) against kernel (to the right).
function timeline(root, data) {
  if (data.missing) {
    root.append(element("p", {}, `There is no plan yet: ${data.missing}.`));
    return;
  }
  const most = Math.max(...data.kinds.map(([, bytes]) => bytes), 1);
  const kinds = data.kinds.map(([name, bytes]) => {
    const bar = element("span", { class: "stripe", style: `width: ${(220 * bytes) / most}px` });
    return element("tr", {}, element("td", {}, name), element("td", { class: "n" }, bytesText(bytes)), element("td", {}, bar));
  });
  const total = element("tr", { class: "total" }, element("td", {}, "together"), element("td", { class: "n" }, bytesText(data.peak)), element("td", {}));
  data.buffers = data.buffers.map(([name, op, type, kind, bytes, offset, first, last]) => ({ name, op, type, kind, bytes, offset, first, last }));
  const arena = data.buffers.filter((b) => b.offset >= 0);
  root.append(element("p", {}, "What a call needs, known before it runs."), element("table", {}, ...kinds, total));
  root.append(...(arena.length ? arenaPicture(data, arena) : [element("p", {}, "Nothing lies between two kernels, so there is no arena.")]));
  root.append(element("details", {}, element("summary", {}, `All ${data.buffers.length} buffers as a table`), bufferTable(data.buffers)));
}

function arenaPicture(data, arena) {
  const [left, right, top, bottom, wide, high] = [70, 10, 26, 34, 860, 400];
  const steps = data.steps.length;
  const x = (step) => left + ((wide - left - right) * step) / steps;
  const y = (bytes) => high - bottom - ((high - top - bottom) * bytes) / data.arena;
  const order = [...arena].sort((a, b) => a.first - b.first || a.offset - b.offset);
  const readout = element("output", { class: "readout" });
  const shapes = order.map((b, k) => {
    const [width, height] = [Math.max(x(b.last + 1) - x(b.first) - 1, 1), Math.max(y(0) - y(b.bytes) - 0.5, 1)];
    const [left, up] = [x(b.first), y(b.offset + b.bytes)];
    const box = shape("rect", { class: `buffer of-${k % 4}`, x: left, y: up, width, height, rx: 1.5 });
    box.addEventListener("pointerenter", () => choose(k));
    const said = height < 13 ? null : [`${b.name} ${b.op}`, b.name].find((text) => 7.2 * text.length + 6 < width);
    return shape("g", {}, box, said ? shape("text", { class: "inside", x: left + width / 2, y: up + height / 2 + 4 }, said) : "");
  });
  const peak = data.live.indexOf(Math.max(...data.live));
  const line = data.live.map((bytes, k) => `${k ? "L" : "M"}${x(k)} ${y(bytes)}H${x(k + 1)}`).join("");
  const every = Math.max(1, Math.ceil(steps / 12));
  const ticks = data.steps.map((_, k) => k).filter((k) => k % every === 0).map((k) => shape("text", { class: "tick", x: (x(k) + x(k + 1)) / 2, y: high - bottom + 16 }, `${k}`));
  const heights = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share * data.arena);
    return shape("g", {}, shape("path", { class: "grid", d: `M${left} ${at}H${wide - right}` }), shape("text", { class: "address", x: left - 8, y: at + 4 }, bytesText(share * data.arena)));
  });
  const anchor = peak > 0.7 * steps ? "end" : peak < 0.3 * steps ? "start" : "middle";
  const said = `most in use: ${bytesText(data.live[peak])}, at kernel ${peak}`;
  const mark = [shape("path", { class: "peak", d: `M${x(peak + 0.5)} ${top - 6}V${y(0)}` }), shape("text", { class: "peak-text", x: x(peak + 0.5), y: top - 11, "text-anchor": anchor }, said)];
  const picture = shape(
    "svg",
    { class: "arena", viewBox: `0 0 ${wide} ${high}`, role: "application", tabindex: 0, "aria-label": `${order.length} buffers in an arena of ${bytesText(data.arena)}; arrow keys go from one to the next` },
    ...heights, ...shapes, shape("path", { class: "live", d: line }), ...mark, ...ticks,
    shape("text", { class: "tick", x: (left + wide - right) / 2, y: high - 2 }, "kernel, in the order in which they run"),
  );
  let chosen = 0;
  function choose(k) {
    shapes[chosen].classList.remove("on");
    chosen = k;
    shapes[k].classList.add("on");
    const { name, op, type, bytes, offset, first, last } = order[k];
    const life = last >= steps ? "to the end" : `to kernel ${last} (${data.steps[last]})`;
    readout.textContent = `${name} = ${op} : ${type}, ${bytesText(bytes)} from byte ${offset.toLocaleString("en")}, from kernel ${first} (${data.steps[first]}) ${life}`;
  }
  picture.addEventListener("keydown", (event) => {
    const to = { ArrowRight: chosen + 1, ArrowDown: chosen + 1, ArrowLeft: chosen - 1, ArrowUp: chosen - 1, Home: 0, End: order.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(order.length - 1, to)));
  });
  choose(0);
  const note = "A box is a buffer: as high as it has bytes, as wide as it is needed. Two may share addresses at different times. The line is what is in use.";
  return [element("h2", {}, `The arena: ${bytesText(data.arena)}`), element("p", { class: "soft" }, note), picture, readout];
}

function bufferTable(buffers) {
  const head = ["name", "type", "kind", "bytes", "offset", "needed"].map((h) => element("th", { scope: "col", class: h === "bytes" || h === "offset" ? "n" : "" }, h));
  const rows = buffers.map(({ name, type, kind, bytes, offset, first, last }) => {
    const place = offset < 0 ? "" : offset.toLocaleString("en");
    const texts = [element("code", {}, name), element("code", {}, type), kind];
    return element("tr", {}, ...texts.map((t) => element("td", {}, t)), element("td", { class: "n" }, bytes.toLocaleString("en")), element("td", { class: "n" }, place), element("td", {}, `${first} to ${last}`));
  });
  return element("div", { class: "long", tabindex: 0, role: "region", "aria-label": "buffers" }, element("table", {}, element("tr", {}, ...head), ...rows));
}

// Three digits, as Python writes them: 1.72 MB.
function bytesText(bytes) {
  const unit = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  return `${unit ? (bytes / 1000 ** unit).toPrecision(3) : Math.round(bytes)} ${["B", "kB", "MB", "GB", "TB"][unit]}`;
}

// As element(), in SVG.
function shape(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
