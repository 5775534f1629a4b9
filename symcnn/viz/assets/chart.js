// A chart whose values can be read: a cursor that follows the pointer or the arrow keys, and a legend that says the
// values at it. `moved(k)` is told where the cursor goes, so that charts of one axis can share it.
function readableChart(chart, moved) {
  const last = chart.at.length - 1;
  const frame = element("div", {
    class: "frame", tabindex: 0, role: "slider", "aria-label": chart.title,
    "aria-valuemin": chart.at[0] ?? 0, "aria-valuemax": chart.at[last] ?? 0,
  });
  const place = element("span", { class: "place" });
  const entries = chart.names.map((name, i) => legendEntry(frame, name, chart.looks[i]));
  const legend = element("div", { class: "legend" }, place, ...entries.map((entry) => entry.button));
  let form, at = last;

  function draw(k) {
    form = chart.forms[Math.min(k, chart.forms.length - 1)];
    frame.innerHTML = form.svg;
    const svg = frame.firstElementChild;
    const cursor = document.createElementNS(svg.namespaceURI, "line");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("y1", form.scale.top);
    cursor.setAttribute("y2", form.scale.bottom);
    svg.append(cursor);
    entries.forEach((entry) => entry.emphasize());
    show(at);
  }

  function show(k) {
    at = Math.max(0, Math.min(last, k));
    const x = across(form.scale, chart.at[at]);
    const cursor = frame.querySelector(".cursor");
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    place.textContent = `${chart.axis} ${Number(chart.at[at].toPrecision(5))}`;
    entries.forEach((entry, i) => (entry.value.textContent = readable(chart.values[i][at], chart.percent)));
    const said = chart.names.map((name, i) => `${name} ${entries[i].value.textContent}`);
    frame.setAttribute("aria-valuenow", chart.at[at]);
    frame.setAttribute("aria-valuetext", `${place.textContent}: ${said.join(", ")}`);
  }

  frame.addEventListener("pointermove", (event) => {
    const box = frame.firstElementChild.getBoundingClientRect();
    const x = ((event.clientX - box.left) * frame.firstElementChild.viewBox.baseVal.width) / box.width;
    const distance = chart.at.map((value) => Math.abs(across(form.scale, value) - x));
    moved(distance.indexOf(Math.min(...distance)));
  });
  frame.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10, Home: -last, End: last };
    if (!(event.key in by)) return;
    event.preventDefault();
    moved(Math.max(0, Math.min(last, at + by[event.key])));
  });
  return { element: element("div", { class: "readable" }, frame, legend), draw, show };
}

// The name of a line with its look and its value; pressed, it brings the line to the fore.
function legendEntry(frame, name, look) {
  const swatch = '<svg class="chart swatch" viewBox="0 0 20 8" aria-hidden="true"><line x2="20" y1="4" y2="4"/></svg>';
  const value = element("b");
  const button = element("button", { class: "entry", "aria-pressed": "false", onclick: press }, name, " ", value);
  button.insertAdjacentHTML("afterbegin", swatch);
  const line = button.querySelector("line");
  line.setAttribute("class", `line${look % 4}`);
  line.setAttribute("stroke-dasharray", ["", "6 4", "2 3"][look % 3]);

  function press() {
    const pressed = button.getAttribute("aria-pressed") === "true";
    for (const other of button.parentElement.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(!pressed));
    emphasize();
  }

  function emphasize() {
    const pressed = [...(button.parentElement?.querySelectorAll("button") ?? [])].findIndex(
      (other) => other.getAttribute("aria-pressed") === "true",
    );
    frame.querySelectorAll("polyline").forEach((drawn, k) => drawn.classList.toggle("faded", pressed >= 0 && k !== pressed));
  }
  return { button, value, emphasize };
}

function across({ left, right, x: [low, high] }, value) {
  return left + ((right - left) * (value - low)) / (high - low);
}

function readable(value, percent) {
  if (value == null) return "\u2013";
  if (percent) return `${(100 * value).toFixed(1)}%`;
  return value && Math.abs(value) < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
