// Grids of numbers as SVG text: the twin of symcnn/viz/cells.py.
const CHARACTER = 8.5; // width of a digit in a cell, and in text of class "mono"
const SMALLEST = 30;

function number(value) {
  if (!Number.isFinite(value)) return String(value).replace("Infinity", "∞").replace("-", "−");
  const size = Math.floor(Math.abs(value) * 100 + 0.5) / 100; // as the twin rounds
  return `${value < 0 && size > 0 ? "−" : ""}${size}`;
}

function factor(value) {
  const text = number(value);
  return text.startsWith("−") ? `(${text})` : text;
}

function longest(values, text = number) {
  return Math.max(1, ...values.flat(Infinity).map((v) => (Number.isNaN(v) ? 0 : text(v).length)));
}

function sizeLines([rows, columns], left) {
  const lines = rows === columns ? [`rows and columns: ${rows}`] : [`rows: ${rows}`, `columns: ${columns}`];
  if (left[0] || left[1]) lines.push(`left over at the end, in no window: rows ${left[0]}, columns ${left[1]}`);
  return lines;
}

function cellSize(...arrays) {
  return Math.max(SMALLEST, CHARACTER * longest(arrays) + 10);
}

// marks(row, column): classes of the cell; step(row, column): what a click on it leads to, if anything.
function grid(name, x, y, size, values, { marks = () => "", pad = 0, step } = {}) {
  const parts = [];
  values.forEach((line, r) =>
    line.forEach((value, c) => {
      const inside = r >= pad && r < values.length - pad && c >= pad && c < line.length - pad;
      const classes = `cell${inside ? "" : " pad"} ${marks(r, c)}`.trim();
      const ring = classes.includes("best") ? `<circle cx="${size / 2}" cy="${size / 2}" r="${size * 0.4}"/>` : "";
      const goes = step ? ` data-step="${step(r, c)}"` : "";
      parts.push(
        `<g class="${classes}"${goes} transform="translate(${x + c * size} ${y + r * size})"><rect width="${size}" height="${size}"/>` +
          `${ring}<text x="${size / 2}" y="${size / 2 + 5}">${Number.isNaN(value) ? "" : number(value)}</text></g>`,
      );
    }),
  );
  const raised = (part) => /seen|now|back/.test(part); // last, so that their thick borders lie on top
  return `<g data-name="${name}">${parts.sort((a, b) => raised(a) - raised(b)).join("")}</g>`;
}

function rounded(...arrays) {
  const exact = arrays.flat(Infinity).every((v) => v === Math.round(v * 100) / 100);
  return exact ? "" : "; numbers are rounded to two decimals";
}

function words(x, y, text, classes = "") {
  return `<text class="${classes}" x="${x}" y="${y}">${text}</text>`;
}

function sheet(width, height, label, parts) {
  return `<svg class="cells" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}">${parts.join("")}</svg>`;
}

// A picture that is drawn anew at every step, and whose cells with a step can be clicked.
function stage(label, go = () => {}) {
  const follow = (event) => {
    const cell = event.target.closest("[data-step]");
    if (cell) go(+cell.dataset.step);
  };
  return element("div", { class: "stage", role: "group", "aria-label": `${label}; arrow keys move`, onclick: follow });
}

function withPadding(plane, padding, value) {
  const side = Array(padding).fill(value);
  const empty = () => Array(plane[0].length + 2 * padding).fill(value);
  const above = Array.from({ length: padding }, empty);
  return [...above, ...plane.map((line) => [...side, ...line, ...side]), ...above];
}

// A curve from left to right that ends in an arrow.
function route(x1, y1, x2, y2, classes = "") {
  const bend = (x2 - x1) / 2;
  return (
    `<path class="route ${classes}" d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 9} ${y2}"/>` +
    `<path class="tip ${classes}" d="M${x2} ${y2}l-10 -5v10z"/>`
  );
}
