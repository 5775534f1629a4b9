// Max and average pooling, forward and then backward, played: the twin of symcnn/viz/pooling.py.
function poolingView(root, data) {
  const settings = { kind: data.kind, window: data.window, stride: data.stride, padding: data.padding };
  let shown = pooled(data.x, settings);
  const picture = stage("pooling", (step) => bar.go(step));
  const bar = player(
    shown.steps,
    (step) => {
      picture.innerHTML = shown.steps ? poolingPicture(shown, step) : `<p class="problem" role="status">${shown.problem}</p>`;
      if (!shown.steps) return "no output";
      const half = shown.steps / 2;
      return `${step < half ? "forward" : "backward"}, window ${(step % half) + 1} of ${half}`;
    },
    { label: "window", start: data.step, keys: picture },
  );
  const changed = (name) => (value) => {
    settings[name] = value;
    shown = pooled(data.x, settings);
    bar.restart(shown.steps);
  };
  const numbers = [["window", 1], ["stride", 1], ["padding", 0]].map(([name, low]) =>
    numberControl(name, settings[name], low, 6, changed(name)),
  );
  root.append(controlBar(choiceControl("kind", settings.kind, ["max", "average"], changed("kind")), ...numbers), bar, picture);
}

// Everything that does not depend on the step.
function pooled(x, { kind, window, stride, padding }) {
  const size = [x.length, x[0].length];
  const room = size.map((n) => n + 2 * padding - window);
  const short = room.findIndex((r) => r < 0);
  if (2 * padding > window) {
    const problem = `A padding of ${padding} is more than half of the window of ${window}: windows would see nothing but padding. Use less padding or a larger window.`;
    return { steps: 0, problem };
  }
  if (short >= 0) {
    const axis = ["rows", "columns"][short];
    const problem = `Not one window fits: it reaches over ${window} ${axis}, and the input has ${size[short]} + 2·${padding} = ${size[short] + 2 * padding}. Use a smaller window or more padding.`;
    return { steps: 0, problem };
  }
  const counts = room.map((r) => Math.floor(r / stride) + 1);
  const windows = [];
  for (let r = 0; r < counts[0]; r++)
    for (let q = 0; q < counts[1]; q++) windows.push(poolingWindow(x, kind, window, r * stride - padding, q * stride - padding));
  const folded = (values) => Array.from({ length: counts[0] }, (_, r) => values.slice(r * counts[1], (r + 1) * counts[1]));
  const formulas = size.map((n, axis) => `floor((${n} + 2·${padding} − ${window}) / ${stride}) + 1 = ${counts[axis]}`);
  const sizes = sizeLines(formulas, room.map((r) => r % stride));
  const y = folded(windows.map((w) => w.value));
  const dy = folded(windows.map((_, i) => i + 1));
  return { steps: 2 * windows.length, x, kind, padding, counts, windows, y, dy, sizes };
}

// What one window sees of the image, its value, and the share of its gradient that each pixel gets.
function poolingWindow(x, kind, window, top, left) {
  const seen = [];
  for (let r = top; r < top + window; r++)
    for (let q = left; q < left + window; q++) if (x[r]?.[q] !== undefined) seen.push([r, q]);
  const values = seen.map(([r, q]) => x[r][q]);
  const best = seen[values.indexOf(Math.max(...values))];
  const value = kind === "max" ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length;
  return { top, left, window, seen, values, value, to: kind === "max" ? [best] : seen, share: kind === "max" ? 1 : 1 / seen.length };
}

function poolingPicture({ x, kind, padding, counts, windows, y, dy, sizes }, step) {
  const [MARGIN, TOP, GAP, LINE] = [20, 72, 64, 22];
  const backward = step >= windows.length;
  const at = step % windows.length;
  const { top, left, window, seen, values, value, to, share } = windows[at];
  const [row, column] = [Math.floor(at / counts[1]), at % counts[1]];
  const dx = x.map((line) => line.map(() => (backward ? 0 : NaN)));
  if (backward) windows.slice(0, at + 1).forEach((w, i) => w.to.forEach(([r, q]) => (dx[r][q] += w.share * (i + 1))));
  const shown = (plane, count) => plane.map((line, r) => line.map((v, q) => (r * counts[1] + q < count ? v : NaN)));
  const outside = kind === "max" ? -Infinity : NaN;
  const padded = withPadding(x, padding, outside);
  const cell = Math.max(36, cellSize(padded, y, dy, windows.map((w) => w.share * windows.length)));
  const [height, width] = [padded.length * cell, padded[0].length * cell];
  const best = new Set((kind === "max" ? windows.slice(0, backward ? undefined : at + 1) : []).map((w) => String(w.to[0])));
  const inside = (r, q) => r >= top && r < top + window && q >= left && q < left + window;
  const ring = (r, q) => (best.has(String([r, q])) ? " best" : "");
  const yAt = MARGIN + width + GAP;
  const dyAt = yAt + Math.max(counts[1] * cell, 90) + GAP;
  const dxAt = dyAt + Math.max(counts[1] * cell, 90) + GAP;
  const [stepOf, backOf] = [(r, q) => r * counts[1] + q, (r, q) => windows.length + r * counts[1] + q];
  const now = (kindOf) => (r, q) => (r === row && q === column ? kindOf : "");
  const received = new Set(to.map(String));
  const parts = [
    words(MARGIN, 28, "forward", backward ? "faint" : "name"),
    words(dyAt, 28, "backward", backward ? "name" : "faint"),
    words(MARGIN, TOP - 12, "input x"),
    words(yAt, TOP - 12, "output y"),
    words(dyAt, TOP - 12, "gradient dy"),
    words(dxAt, TOP - 12, "gradient dx"),
    grid("x", MARGIN, TOP, cell, padded, {
      pad: padding,
      marks: (r, q) => (inside(r - padding, q - padding) ? "seen" : "") + ring(r - padding, q - padding),
    }),
    grid("y", yAt, TOP, cell, shown(y, backward ? windows.length : at + 1), { step: stepOf, marks: now(backward ? "" : "now") }),
    grid("dy", dyAt, TOP, cell, backward ? dy : shown(dy, 0), { step: backOf, marks: now(backward ? "back" : "") }),
    grid("dx", dxAt, TOP + padding * cell, cell, dx, {
      marks: (r, q) => (backward && received.has(String([r, q])) ? "back" : ""),
    }),
  ];
  // A route runs between two grids, from row to row: of the one pixel, or of the middle of all that share.
  const rows = to.map(([r]) => r);
  const pixels = TOP + (padding + (Math.min(...rows) + Math.max(...rows) + 1) / 2) * cell;
  const level = TOP + (row + 0.5) * cell;
  if (backward) parts.push(route(dyAt + counts[1] * cell, level, dxAt, pixels, "gradient"));
  else parts.push(route(MARGIN + width, pixels, yAt, level));
  const lines = poolingSentences({ kind, backward, row, column, values, value, to, share, padding, dy: at + 1 });
  const foot = TOP + height + 46;
  parts.push(words(MARGIN, foot, lines[0], "mono strong total"), words(MARGIN, foot + 26, lines[1] + rounded(x, y, dx.flat().filter((v) => !Number.isNaN(v))), "faint"));
  sizes.forEach((line, k) => parts.push(words(MARGIN, foot + 60 + k * LINE, line, "mono")));
  return sheet(Math.max(dxAt + x[0].length * cell + MARGIN, 700), foot + 60 + sizes.length * LINE, lines[0], parts);
}

function poolingSentences({ kind, backward, row, column, values, value, to, share, padding, dy }) {
  const name = `[${row}, ${column}]`;
  const [winner] = to;
  if (kind === "max")
    return backward
      ? [`dx[${winner.join(", ")}] += dy${name} = ${dy}`, "all of the gradient goes to the pixel that won; the others of the window get none"]
      : [`y${name} = max(${values.map(number).join(", ")}) = ${number(value)}`, `won by x[${winner.join(", ")}], in the ring`];
  return backward
    ? [`dx += dy${name} / ${to.length} = ${number(dy * share)}`, `the gradient is spread evenly over the ${to.length} pixels of the window`]
    : [`y${name} = (${values.map(factor).join(" + ")}) / ${values.length} = ${number(value)}`, padding ? "padding is not counted" : "the mean of what the window sees"];
}
