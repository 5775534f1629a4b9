// The still picture of activation functions, with a marker in every panel that moves along the curves.
function activationView(root, data, svg) {
  const picture = element("div", { class: "stage", role: "group", "aria-label": "activation; arrow keys move the marker" });
  picture.innerHTML = svg.replace(/<style>.*?<\/style>/s, ""); // the colours of the live view instead
  const drawing = picture.querySelector("svg");
  drawing.style.width = data.curves.length > 1 ? "100%" : "860px"; // one panel as large as a screen would be too high
  const markers = [...drawing.querySelectorAll(".panel")].map((panel) => {
    const marker = document.createElementNS("http://www.w3.org/2000/svg", "g");
    panel.append(marker);
    return marker;
  });
  const start = Math.round(data.x.length * 0.6);
  const bar = player(
    data.x.length,
    (step) => {
      markers.forEach((marker, k) => (marker.innerHTML = activationMarker(data, data.curves[k], step)));
      const { f, slope } = data.curves[0];
      return data.curves.length > 1 ? `x = ${activationNumber(data.x[step])}` : activationReading(data.x[step], f[step], slope[step]);
    },
    { label: "x", start, seconds: 0.06, keys: picture },
  );
  root.append(bar, picture);
}

function activationMarker({ x, frame }, { f, slope, ticks }, step) {
  const [left, right, top, bottom] = frame;
  const [low, high] = [ticks[0], ticks.at(-1)];
  const reading = `<text class="reading" x="${left}" y="96">${activationReading(x[step], f[step], slope[step])}</text>`;
  if (f[step] === null || slope[step] === null) return reading;
  const across = (right - left) / (x.at(-1) - x[0]);
  const up = (bottom - top) / (high - low);
  const at = left + (x[step] - x[0]) * across;
  const [onF, onSlope] = [f[step], slope[step]].map((y) => bottom - (y - low) * up);
  // A piece of the tangent, always equally long, cut off at the frame.
  const lean = Math.atan2(slope[step] * up, across);
  const [dx, dy] = [52 * Math.cos(lean), 52 * Math.sin(lean)];
  return (
    `${reading}<path class="plumb" d="M${at} ${top}V${bottom}"/>` +
    `<svg x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" viewBox="${left} ${top} ${right - left} ${bottom - top}">` +
    `<path class="tangent" d="M${at - dx} ${onF + dy}L${at + dx} ${onF - dy}"/></svg>` +
    `<circle class="dot0" cx="${at}" cy="${onF}" r="5"/><circle class="dot1" cx="${at}" cy="${onSlope}" r="8"/>`
  );
}

function activationReading(x, f, slope) {
  return `x = ${activationNumber(x)}, f(x) = ${activationNumber(f)}, f'(x) = ${activationNumber(slope)}`;
}

function activationNumber(value) {
  if (value === null) return "none";
  return (Math.abs(value) < 0.0005 ? 0 : value).toFixed(3).replace("-", "−");
}
