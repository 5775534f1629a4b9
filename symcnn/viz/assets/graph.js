// A graph that can be moved, enlarged, opened and played.
function graphView(root, data, svgText) {
  const stage = element("div", { class: "stage", role: "group", "aria-roledescription": "graph" });
  stage.innerHTML = svgText;
  const svg = stage.querySelector("svg");
  stage.setAttribute("aria-label", svg.getAttribute("aria-label"));
  svg.querySelector("style").remove(); // the colours are those of the page now
  svg.setAttribute("role", "presentation");
  svg.removeAttribute("aria-label");
  svg.querySelector(":scope > title").remove();
  const details = element("div", { class: "details", "aria-live": "polite" });
  const scene = graphScene(svg, data.levels);
  const camera = graphCamera(stage, svg);
  const bar = element("div", { class: "bar" });
  const toolbar = element("div", { class: "tools", role: "group", "aria-label": "view" }, ...camera.buttons);
  if (Object.keys(data.levels).length) {
    const every = (open) => () => (scene.openAll(open), camera.fit());
    toolbar.append(
      element("button", { type: "button", onclick: every(true) }, "Open all"),
      element("button", { type: "button", onclick: every(false) }, "Close all"),
    );
  }
  bar.append(toolbar);
  root.append(bar, stage, details);
  graphKeys(stage, scene, camera, (box) => {
    if (scene.toggle(box)) camera.settle();
    else graphDetails(details, box, data);
  });
  if (data.steps.length) bar.prepend(graphStepper(stage, svg, scene, camera, details, data));
  details.append(element("p", { class: "hint" }, graphHint(data)));
}

function graphHint(data) {
  const play = data.steps.length ? "Arrow keys on the picture play it, op by op. " : "";
  const open = Object.keys(data.levels).length ? "Double boxes open on click or Enter. " : "";
  return `${play}${open}Tab reaches the boxes, arrow keys lead from one to the next, Enter tells about it.`;
}

// ---- opening and closing: space is let into the picture where a group opens, and everything else moves along

function graphScene(svg, levels) {
  const top = graphLevel(svg, svg.viewBox.baseVal, () => {
    const [width, height] = top.size();
    svg.setAttribute("viewBox", `${top.left} ${top.top} ${width} ${height}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const ground = svg.querySelector(":scope > .ground");
    ground.setAttribute("width", width);
    ground.setAttribute("height", height);
  });
  const opened = new Map(); // group element -> its inner level

  function toggle(box) {
    const inside = levels[box.dataset.key];
    if (!inside) return false;
    if (opened.has(box)) close(box);
    else open(box, inside);
    return true;
  }
  function open(box, inside) {
    const level = box.level;
    const frame = document.createElementNS(svg.namespaceURI, "g");
    frame.setAttribute("class", "inside");
    frame.innerHTML = inside.svg;
    box.append(frame);
    box.classList.add("open");
    box.setAttribute("aria-expanded", "true");
    const inner = graphLevel(frame, { x: 0, y: 0, width: inside.width, height: inside.height }, () => level.resize(box, frame, inner.size()));
    opened.set(box, inner);
    inner.changed();
  }
  function close(box) {
    for (const inner of box.querySelectorAll(".box.open")) opened.delete(inner);
    box.querySelector(":scope > .inside").remove();
    box.classList.remove("open");
    box.setAttribute("aria-expanded", "false");
    opened.delete(box);
    box.level.resize(box, null, null);
  }
  function openAll(yes) {
    if (!yes) return [...opened.keys()].filter((box) => !box.parentNode.closest(".box")).forEach(close);
    for (let found = true; found; ) {
      const closed = [...svg.querySelectorAll(".box.group:not(.open)")].filter((box) => levels[box.dataset.key]);
      found = closed.length > 0;
      closed.forEach((box) => open(box, levels[box.dataset.key]));
    }
  }
  // The box of this key or, if that is out of sight, the group around it that can be seen.
  function visible(key) {
    const shown = svg.querySelector(`.box[data-key="${CSS.escape(key)}"]`);
    if (shown) return shown;
    const around = Object.entries(levels).filter(([, level]) => level.svg.includes(`data-key="${key.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")}"`));
    const last = around.at(-1);
    return last ? visible(last[0]) : null;
  }
  return { toggle, openAll, visible, boxes: () => [...svg.querySelectorAll(".box:not(.port)")] };
}

// One level of the drawing: where its boxes and arrows were drawn, and where they are now that groups have opened.
function graphLevel(group, { x: left, y: top, width, height }, changed) {
  const own = (selector) => [...group.querySelectorAll(`:scope > ${selector}`)];
  const boxes = own(".box").map((box) => {
    const [x, y] = box.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
    const rects = box.querySelectorAll(":scope > rect");
    const rect = rects[rects.length - 1];
    const [w, h] = ["width", "height"].map((name) => +rect.getAttribute(name));
    const lines = [...box.querySelectorAll(":scope > .title, :scope > .note")].map((text) => [text, text.getAttribute("y")]);
    return { box, x, y, w, h, lines, rects: [...rects], want: null, frame: null };
  });
  const byKey = new Map(boxes.map((item) => [item.box.dataset.key, item]));
  const arrows = own(".arrow").map((path) => {
    const { from, to } = path.dataset;
    return { path, points: graphPoints(path), down: graphIsDown(path), from: byKey.get(from), to: byKey.get(to) };
  });
  const texts = own("text, :scope > g[data-value] > *, :scope > g[data-gradient] > *").map((text) => ({
    text, x: +text.getAttribute("x"), y: +text.getAttribute("y"),
  }));
  let fx = (t) => t;
  let fy = (t) => t;
  const level = { left, top, size: () => [fx(left + width) - fx(left), fy(top + height) - fy(top)], changed };
  level.resize = (box, frame, size) => {
    const item = boxes.find((item) => item.box === box);
    item.want = size && [size[0] + 28, size[1] + 52];
    item.frame = frame;
    place();
    changed();
  };
  function place() {
    const open = boxes.filter((item) => item.want);
    fx = graphStretch(open.map(({ x, w, want }) => [x - w / 2, x + w / 2, want[0]]));
    fy = graphStretch(open.map(({ y, h, want }) => [y - h / 2, y + h / 2, want[1]]));
    for (const item of boxes) {
      const { box, x, y, w, h, lines, rects, want, frame } = item;
      const [x0, x1, y0, y1] = [fx(x - w / 2), fx(x + w / 2), fy(y - h / 2), fy(y + h / 2)];
      item.centre = [(x0 + x1) / 2, (y0 + y1) / 2];
      item.grown = want ? [(x1 - x0) / w, (y1 - y0) / h] : [1, 1];
      box.setAttribute("transform", `translate(${item.centre.join(" ")})`);
      const [width, height] = want ? [x1 - x0, y1 - y0] : [w, h];
      rects.forEach((rect, k) => {
        const shift = rects.length > 1 && k === 0 && !want ? 4 : 0; // the shadow of a closed group
        for (const [name, value] of Object.entries({ x: shift - width / 2, y: shift - height / 2, width, height })) rect.setAttribute(name, value);
      });
      lines.forEach(([text, y], k) => text.setAttribute("y", want ? 20 + 14 * k - height / 2 : y));
      if (frame) frame.setAttribute("transform", `translate(${-(want[0] - 28) / 2} ${44 - height / 2})`);
    }
    for (const { path, points, down, from, to } of arrows) {
      const moved = points.map(([x, y]) => [fx(x), fy(y)]);
      if (from) moved.splice(0, 1, ...approach(attached(from, points[0]), moved[0], down));
      if (to) moved.splice(-1, 1, ...approach(attached(to, points.at(-1)), moved.at(-1), down).reverse());
      path.setAttribute("d", graphCurve(moved, down));
    }
    for (const { text, x, y } of texts) {
      text.setAttribute("x", fx(x));
      text.setAttribute("y", fy(y));
    }
  }
  // A point on the border of a box, where that border is now.
  function attached({ x, y, centre, grown }, [px, py]) {
    return [centre[0] + (px - x) * grown[0], centre[1] + (py - y) * grown[1]];
  }
  // From a border straight to the edge of its rank, which lies further out where another box of the rank has opened.
  function approach(border, edge, down) {
    const k = down ? 1 : 0;
    if (Math.abs(border[k] - edge[k]) < 1) return [border];
    return [border, down ? [border[0], edge[1]] : [edge[0], border[1]]];
  }
  for (const { box } of boxes) {
    box.level = level;
    box.setAttribute("tabindex", "-1");
    const group = box.classList.contains("group");
    box.setAttribute("role", "button");
    box.setAttribute("aria-label", box.querySelector(":scope > title").textContent);
    if (group) box.setAttribute("aria-expanded", "false");
  }
  return level;
}

// The monotone map of a line to itself that makes every span [from, to, length] at least so long, and keeps the rest.
function graphStretch(spans) {
  const cuts = [...new Set(spans.flatMap(([from, to]) => [from, to]))].sort((a, b) => a - b);
  const pieces = cuts.slice(1).map((to, k) => {
    const from = cuts[k];
    const factors = spans.filter(([a, b]) => a <= from && to <= b).map(([a, b, length]) => length / (b - a));
    return { from, to, extra: Math.max(1, ...factors) - 1 };
  });
  return (t) => pieces.reduce((sum, { from, to, extra }) => sum + extra * Math.min(Math.max(t - from, 0), to - from), t);
}

function graphPoints(path) {
  const numbers = path.getAttribute("d").match(/-?[\d.]+/g).map(Number);
  const points = [[numbers[0], numbers[1]]];
  for (let k = 2; k < numbers.length; k += 6) {
    if (k + 5 < numbers.length) points.push([numbers[k + 4], numbers[k + 5]]);
    else points.push([numbers[0] + numbers[k], numbers[1]]); // the short way out of the picture, "h"
  }
  return points;
}

function graphIsDown(path) {
  const [x0, , x1] = path.getAttribute("d").match(/-?[\d.]+/g).map(Number);
  return x0 === x1; // a curve leaves in the direction of the ranks
}

function graphCurve(points, down) {
  let [x, y] = points[0];
  let text = `M${x} ${y}`;
  for (const [u, v] of points.slice(1)) {
    text += down ? `C${x} ${(y + v) / 2} ${u} ${(y + v) / 2} ${u} ${v}` : `C${(x + u) / 2} ${y} ${(x + u) / 2} ${v} ${u} ${v}`;
    [x, y] = [u, v];
  }
  return text;
}

// ---- looking around

function graphCamera(stage, svg) {
  let [x, y, scale] = [0, 0, 1];
  const apply = () => (svg.style.transform = `translate(${x}px, ${y}px) scale(${scale})`);
  const size = () => [+svg.getAttribute("width"), +svg.getAttribute("height")];
  function zoom(factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2) {
    const to = Math.min(4, Math.max(0.08, scale * factor));
    [x, y] = [px - ((px - x) * to) / scale, py - ((py - y) * to) / scale];
    scale = to;
    apply();
  }
  function fit() {
    const [width] = size();
    scale = Math.max(0.6, Math.min(1, stage.clientWidth / width)); // smaller print is not worth having
    [x, y] = [Math.max(0, (stage.clientWidth - width * scale) / 2), 0];
    settle();
    apply();
  }
  function settle() {
    stage.style.height = `${Math.min(0.72 * innerHeight, size()[1] * scale + 2)}px`;
  }
  function move(dx, dy) {
    [x, y] = [x + dx, y + dy];
    apply();
  }
  function reveal(box) {
    const [around, inner] = [stage.getBoundingClientRect(), box.getBoundingClientRect()];
    const lack = (low, high, from, to) => (high - low > to - from ? 0 : Math.max(from - low, 0) || Math.min(to - high, 0));
    const pad = 24;
    move(lack(inner.left - pad, inner.right + pad, around.left, around.right), lack(inner.top - pad, inner.bottom + pad, around.top, around.bottom));
  }
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const at = stage.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 300), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });
  let grip = null;
  stage.addEventListener("pointerdown", (event) => (grip = [event.clientX, event.clientY, false]));
  stage.addEventListener("pointermove", (event) => {
    if (!grip || !event.buttons) return (grip = null);
    const [dx, dy] = [event.clientX - grip[0], event.clientY - grip[1]];
    if (!grip[2] && Math.hypot(dx, dy) < 4) return; // still a click
    if (!grip[2]) stage.setPointerCapture(event.pointerId);
    grip = [event.clientX, event.clientY, true];
    move(dx, dy);
  });
  stage.addEventListener("click", (event) => grip?.[2] && event.stopPropagation(), true);
  const button = (name, sign, onclick) => element("button", { type: "button", "aria-label": name, title: name, onclick }, sign);
  const ready = new ResizeObserver(() => stage.clientWidth && (fit(), ready.disconnect()));
  ready.observe(stage);
  return {
    zoom, fit, move, reveal, settle,
    buttons: [button("zoom in", "+", () => zoom(1.25)), button("zoom out", "−", () => zoom(0.8)), button("fit", "Fit", fit)],
  };
}

// ---- boxes by keyboard and pointer: one of them is reached by Tab, arrow keys lead to its neighbours

function graphKeys(stage, scene, camera, choose) {
  const first = scene.boxes()[0];
  first?.setAttribute("tabindex", "0");
  function focus(box) {
    for (const other of scene.boxes()) other.setAttribute("tabindex", other === box ? "0" : "-1");
    box.focus({ preventScroll: true });
    camera.reveal(box);
  }
  stage.addEventListener("click", (event) => {
    const box = event.target.closest(".box");
    if (!box || box.classList.contains("port")) return;
    focus(box);
    choose(box);
  });
  stage.addEventListener("keydown", (event) => {
    const box = event.target.closest(".box");
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const zooms = { "+": () => camera.zoom(1.25), "-": () => camera.zoom(0.8), 0: camera.fit };
    const act = zooms[event.key] ?? (box && { Enter: () => choose(box), " ": () => choose(box) }[event.key]);
    const toward = box && { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!act && !toward) return;
    event.preventDefault();
    event.stopPropagation();
    if (act) return act();
    const next = graphNeighbour(box, toward, scene.boxes());
    if (next) focus(next);
  });
}

function graphNeighbour(box, [dx, dy], boxes) {
  const centre = (b) => {
    const { left, top, width, height } = b.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  };
  const [x, y] = centre(box);
  let best = null;
  for (const other of boxes) {
    if (other === box || other.contains(box)) continue;
    const [u, v] = centre(other);
    const ahead = (u - x) * dx + (v - y) * dy;
    const aside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
    if (ahead > 1 && (!best || ahead + 2 * aside < best.far)) best = { other, far: ahead + 2 * aside };
  }
  return best?.other;
}

// ---- the panel below

const GRAPH_FACTS = { name: "name", label: "op", formula: "formula", type: "type", value: "value", gradient: "gradient", line: "built by" };

function graphDetails(panel, box, { details, sources, steps }) {
  const said = details[box.dataset.key];
  panel.replaceChildren();
  if (!said) return;
  const facts = Object.entries(GRAPH_FACTS).filter(([key]) => said[key]);
  panel.append(element("dl", {}, ...facts.flatMap(([key, name]) => [element("dt", {}, name), element("dd", {}, element("code", {}, said[key]))])));
  const back = steps.find((step) => step.key === box.dataset.key && step.rows.length);
  if (back) panel.append(graphRows(back));
  if (said.kernel !== undefined) panel.append(element("p", {}, "computed by this kernel"), element("pre", { tabindex: 0, "aria-label": "source of the kernel" }, sources[said.kernel]));
}

function graphRows(step) {
  const header = ["gradient of", "formula", "local x upstream = downstream"].map((name) => element("th", { scope: "col" }, name));
  const rows = step.rows.map((row) => element("tr", {}, ...row.map((text) => element("td", {}, element("code", {}, text)))));
  return element("table", {}, element("thead", {}, element("tr", {}, ...header)), element("tbody", {}, ...rows));
}

// ---- forward, then backward, one op at a time

function graphStepper(stage, svg, scene, camera, panel, { steps }) {
  const labels = (name) => svg.querySelectorAll(`[data-${name}]`);
  const moment = new Map(); // key -> the step in which its value appears
  steps.forEach((step, k) => step.phase === "forward" && moment.set(step.key, k));
  const readers = new Map(steps.map((step, k) => [step.phase === "backward" && step.text ? step.key : null, k]));
  function show(index) {
    const gradients = {};
    steps.slice(0, index + 1).forEach((step) => Object.assign(gradients, step.gradients));
    const backward = steps[index].phase === "backward";
    labels("value").forEach((label) => label.classList.toggle("hidden", (moment.get(label.dataset.value) ?? -1) > index));
    labels("gradient").forEach((label) => {
      const known = gradients[label.dataset.gradient];
      const last = index === steps.length - 1;
      label.classList.toggle("hidden", known === undefined && !(last && label.classList.contains("none")));
      if (known !== undefined && label.localName === "text") label.textContent = known;
    });
    labels("part").forEach((label) => label.classList.toggle("hidden", (readers.get(label.dataset.part.replace(/:\d+$/, "")) ?? Infinity) > index));
    svg.querySelectorAll(".current").forEach((box) => box.classList.remove("current", "back"));
    const box = scene.visible(steps[index].key);
    box?.classList.add("current");
    box?.classList.toggle("back", backward);
    if (box && started) camera.reveal(box);
    graphTell(panel, steps[index]);
    return `${steps[index].phase}, step ${index + 1} of ${steps.length}`;
  }
  let started = false;
  const bar = player(steps.length, show, { label: "step", start: steps.length - 1, seconds: 1.2, keys: stage });
  started = true;
  panel.replaceChildren();
  svg.querySelectorAll(".current").forEach((box) => box.classList.remove("current", "back"));
  return bar;
}

function graphTell(panel, step) {
  const lines = [step.text, ...step.sums].filter(Boolean).map((text) => element("p", {}, element("code", {}, text)));
  panel.replaceChildren(element("p", {}, element("strong", {}, step.title)), ...lines);
  if (step.rows.length) panel.append(graphRows(step));
}
