// The sliding convolution, played and with its settings changed: the twin of symcnn/viz/convolution.py.
function convolutionView(root, data) {
  const settings = { stride: data.stride, padding: data.padding, dilation: data.dilation, channels: data.channels };
  let shown = convolved(data, settings);
  const picture = stage("convolution", (step) => bar.go(step));
  const bar = player(
    shown.steps,
    (step) => {
      picture.innerHTML = shown.steps ? convolutionPicture(shown, step) : `<p class="problem" role="status">${shown.problem}</p>`;
      return shown.steps ? `output ${step + 1} of ${shown.steps}` : "no output";
    },
    { label: "output", start: data.step, keys: picture },
  );
  const control = (name, low, high) =>
    numberControl(name, settings[name], low, high, (value) => {
      settings[name] = value;
      shown = convolved(data, settings);
      bar.restart(shown.steps);
    });
  const controls = [control("stride", 1, 6), control("padding", 0, 3), control("dilation", 1, 6)];
  if (data.channels > 1) controls.push(control("channels", 1, data.channels));
  root.append(controlBar(...controls), bar, picture);
}

// Everything that does not depend on the step.
function convolved(data, { stride, padding, dilation, channels }) {
  const x = data.x.slice(0, channels);
  const w = data.w.map((filter) => filter.slice(0, channels));
  const size = [x[0].length, x[0][0].length];
  const kernel = [w[0][0].length, w[0][0][0].length];
  const reach = kernel.map((k) => (k - 1) * dilation + 1);
  const room = size.map((n, axis) => n + 2 * padding - reach[axis]);
  const short = room.findIndex((r) => r < 0);
  if (short >= 0) {
    const axis = ["rows", "columns"][short];
    const problem =
      `Not one window fits: a filter of ${kernel[short]} ${axis} with dilation ${dilation} reaches over ${reach[short]}, and ` +
      `the input has ${size[short]} + 2·${padding} = ${size[short] + 2 * padding}. Use more padding or less dilation.`;
    return { steps: 0, problem };
  }
  const counts = room.map((r) => Math.floor(r / stride) + 1);
  const padded = x.map((plane) => withPadding(plane, padding, 0));
  const tapsAt = (row, column) =>
    Array.from({ length: kernel[0] }, (_, i) =>
      Array.from({ length: kernel[1] }, (_, j) => [row * stride + i * dilation, column * stride + j * dilation]),
    );
  // The terms [pixel, weight] of one output, by channel and row of the filter.
  const termsAt = (f, row, column) =>
    padded.map((plane, c) => tapsAt(row, column).map((line, i) => line.map(([r, q], j) => [plane[r][q], w[f][c][i][j]])));
  const added = (terms) => terms.flat().reduce((sum, [pixel, weight]) => sum + pixel * weight, 0);
  const y = w.map((_, f) =>
    Array.from({ length: counts[0] }, (_, r) =>
      Array.from({ length: counts[1] }, (_, q) => termsAt(f, r, q).map(added).reduce((sum, v) => sum + v, data.b[f])),
    ),
  );
  const formulas = size.map(
    (n, axis) => `floor((${n} + 2·${padding} − ${dilation}·(${kernel[axis]} − 1) − 1) / ${stride}) + 1 = ${counts[axis]}`,
  );
  const sizes = sizeLines(formulas, room.map((r) => r % stride));
  const per = counts[0] * counts[1];
  const at = (step) => [Math.floor(step / per), Math.floor((step % per) / counts[1]), step % counts[1]];
  return { steps: w.length * per, x, w, b: data.b, y, padded, padding, kernel, counts, sizes, at, tapsAt, termsAt, added };
}

function convolutionPicture({ x, w, b, y, padded, padding, kernel, counts, sizes, at, tapsAt, termsAt, added }, step) {
  const [MARGIN, TOP, GAP, BETWEEN, LINE] = [20, 44, 30, 40, 21];
  const [filter, row, column] = at(step);
  const [rows, columns] = kernel;
  const terms = termsAt(filter, row, column);
  const sums = [...terms.map(added), b[filter]];
  const name = `y[${filter}, ${row}, ${column}]`;
  const total = `${sums.map(factor).join(" + ")} = ${number(y[filter][row][column])}`;
  const cell = cellSize(x, w, y);
  const width = CHARACTER * (columns * (longest(x, factor) + longest(w, factor) + 4) + 1);
  const advance = GAP + Math.max(padded[0][0].length * cell, columns * cell, width);
  const filtersAt = TOP + padded[0].length * cell + BETWEEN;
  const sumsAt = filtersAt + w.length * (rows * cell + BETWEEN) - 8;
  const window = new Set(tapsAt(row, column).flat().map(String));
  const parts = [];
  padded.forEach((plane, c) => {
    const left = MARGIN + c * advance;
    parts.push(words(left, TOP - 12, `input x[${c}]`, "name"));
    parts.push(grid(`x[${c}]`, left, TOP, cell, plane, { pad: padding, marks: (...place) => (window.has(String(place)) ? "seen" : "") }));
    w.forEach((weights, f) => {
      const top = filtersAt + f * (rows * cell + BETWEEN);
      parts.push(words(left, top - 10, `filter w[${f}, ${c}]`, f === filter ? "name" : "faint"));
      parts.push(grid(`w[${f}, ${c}]`, left, top, cell, weights[c], { marks: () => (f === filter ? "seen" : "soft") }));
    });
    terms[c].forEach((line, i) => {
      const text = line.map(([pixel, weight]) => `${factor(pixel)}·${factor(weight)}`).join(" + ");
      parts.push(words(left + (i ? 0 : 2 * CHARACTER), sumsAt + i * LINE, (i ? "+ " : "") + text, "mono"));
    });
    parts.push(words(left, sumsAt + rows * LINE, `= ${number(sums[c])}`, "mono strong"));
  });
  const left = MARGIN + padded.length * advance;
  let top = TOP;
  y.forEach((plane, f) => {
    const stepOf = (r, q) => (f * counts[0] + r) * counts[1] + q;
    const sofar = plane.map((line, r) => line.map((value, q) => (stepOf(r, q) <= step ? value : NaN)));
    parts.push(words(left, top - 12, `output y[${f}]`, "name"));
    parts.push(grid(`y[${f}]`, left, top, cell, sofar, { step: stepOf, marks: (r, q) => (stepOf(r, q) === step ? "now" : "") }));
    top += counts[0] * cell + 20;
    parts.push(words(left, top, `bias b[${f}] = ${number(b[f])}`, "faint"));
    top += BETWEEN + 4;
  });
  const foot = Math.max(sumsAt + (rows + 1) * LINE, top) + 24;
  parts.push(words(MARGIN, foot, `${name} = ${total}`, "mono strong total"));
  parts.push(words(MARGIN, foot + 24, `the sum of each channel, and last the bias b[${filter}]${rounded(x, w, b)}`, "faint"));
  sizes.forEach((line, k) => parts.push(words(MARGIN, foot + 58 + k * LINE, line, "mono")));
  const right = Math.max(left + Math.max(counts[1] * cell, 120), 600) + MARGIN;
  return sheet(right, foot + 58 + sizes.length * LINE, `${name} = ${total}`, parts);
}
