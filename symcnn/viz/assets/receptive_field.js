// What one unit sees of the image: the layer is chosen by slider and keys, the unit by a click or by numbers. The picture
// is the twin of the one in symcnn/viz/receptive_field.py.
function receptiveFieldView(root, data) {
  let unit = data.unit;
  let chosen = data.chosen;
  const picture = stage("receptive field");
  picture.addEventListener("click", (event) => {
    if (!event.target.matches(".map")) return;
    const { left, top, width, height } = event.target.getBoundingClientRect();
    const [, rows, columns] = layer().shape;
    unit = [Math.floor(((event.clientY - top) / height) * rows), Math.floor(((event.clientX - left) / width) * columns)];
    draw();
    numbers();
  });
  const place = element("span", { class: "controls" });
  const layer = () => data.layers[chosen];
  const middle = () => layer().shape.slice(1).map((n) => Math.floor(n / 2));

  function draw() {
    picture.innerHTML = fieldPicture(data, layer(), unit);
    lines.forEach((line, k) => line.setAttribute("aria-current", k === chosen));
    const { offsetTop, offsetHeight } = lines[chosen];
    if (offsetTop < table.scrollTop + offsetHeight || offsetTop + offsetHeight > table.scrollTop + table.clientHeight)
      table.scrollTop = offsetTop - table.clientHeight / 2;
  }
  function numbers() {
    const change = (axis) => (value) => {
      unit = unit.with(axis, value);
      draw();
    };
    const control = (name, axis) => numberControl(name, unit[axis], 0, layer().shape[axis + 1] - 1, change(axis));
    place.replaceChildren(control("unit: row", 0), control("column", 1));
  }

  const lines = data.layers.map(({ cells }, k) =>
    element("tr", { onclick: () => bar.go(k) }, ...cells.map((text) => element("td", {}, text))),
  );
  const header = element("tr", {}, ...data.header.map((name) => element("th", { scope: "col" }, name)));
  const table = element("div", { class: "layers", tabindex: 0, role: "group", "aria-label": "all layers" },
    element("table", {}, element("thead", {}, header), element("tbody", {}, ...lines)));
  let first = true; // the unit that was asked for is kept until another layer is chosen
  const bar = player(
    data.layers.length,
    (step) => {
      chosen = step;
      if (!first) unit = middle();
      draw();
      numbers();
      return `layer ${layer().cells[0]}`;
    },
    { label: "layer", start: data.chosen, keys: picture },
  );
  first = false;
  root.append(bar, place, picture, table, element("p", { class: "legend" }, data.legend));
  draw(); // once more: only now does the table know where its rows are
}

function fieldPicture({ image, spans }, { cells, shape, axes }, unit) {
  const [WIDTH, IMAGE, MAP, MARGIN, TOP] = [900, 400, 220, 70, 136];
  const [, rows, columns] = shape;
  const [pixel, side] = [IMAGE / Math.max(...image), MAP / Math.max(rows, columns)];
  const high = Math.max(image[0] * pixel, rows * side);
  const [mapX, mapY] = [MARGIN + IMAGE + 130, TOP + (high - rows * side) / 2];
  const [unitX, unitY] = [mapX + unit[1] * side, mapY + unit[0] * side];
  const [[top, tall], [left, wide]] = axes.map(({ size, jump, start }, axis) => [(start + unit[axis] * jump) * pixel, size * pixel]);
  const runs = axes.map(({ span }, axis) => spans[span][unit[axis]]);
  const box = (name, x, y, width, height) =>
    `<rect class="${name}" x="${x}" y="${y}" width="${width}" height="${height}"/>`;
  const seen = runs[0].flatMap(([r, rEnd]) =>
    runs[1].map(([q, qEnd]) => box("seen", MARGIN + q * pixel, TOP + r * pixel, (qEnd - q) * pixel, (rEnd - r) * pixel)),
  );
  // A field may reach far beyond the image: what lies outside of the margin is cut off, and lines begin at the cut.
  const end = Math.min(MARGIN + left + wide, 2 * MARGIN + IMAGE);
  const [above, below] = [Math.max(TOP + top, TOP - MARGIN), Math.min(TOP + top + tall, TOP + high + MARGIN)];
  const sentence = fieldSentence(cells[0], unit, runs);
  return sheet(WIDTH, TOP + high + MARGIN, sentence, [
    words(24, 30, sentence, "name"),
    words(MARGIN, 56, `image, ${image[0]} x ${image[1]}`),
    lattice(MARGIN, TOP, pixel, ...image),
    ...seen,
    `<svg y="${TOP - MARGIN}" width="${2 * MARGIN + IMAGE}" height="${high + 2 * MARGIN}">`,
    box("field", MARGIN + left, MARGIN + top, wide, tall),
    "</svg>",
    lattice(mapX, mapY, side, rows, columns),
    `<path class="ray" d="M${end} ${above}L${unitX} ${unitY}M${end} ${below}L${unitX} ${unitY + side}"/>`,
    words(mapX, mapY - 12, `output, ${rows} x ${columns}`, "halo"),
    box("unit", unitX, unitY, side, side),
    box("map", mapX, mapY, columns * side, rows * side),
  ]);
}

function fieldSentence(name, unit, runs) {
  const [rows, columns] = runs.map((axis) => `${axis[0][0]} to ${axis.at(-1)[1] - 1}`);
  const holes = runs.some((axis) => axis.length > 1) ? ", with holes" : "";
  return `unit (${unit[0]}, ${unit[1]}) of layer ${name} sees rows ${rows} and columns ${columns}${holes}`;
}

function lattice(x, y, side, rows, columns) {
  const frame = `<rect class="frame" x="${x}" y="${y}" width="${columns * side}" height="${rows * side}"/>`;
  if (side < 5) return frame;
  let lines = "";
  for (let r = 1; r < rows; r++) lines += `M${x} ${y + r * side}h${columns * side}`;
  for (let c = 1; c < columns; c++) lines += `M${x + c * side} ${y}v${rows * side}`;
  return `${frame}<path class="lattice" d="${lines}"/>`;
}
