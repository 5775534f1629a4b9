// The report on a training run: the page as it is, with charts whose values can be read in their places.
function trainingReport(root, data) {
  const report = element("div", { class: "report" });
  report.innerHTML = data.html;
  const charts = data.charts.map((chart) =>
    readableChart(chart, (k) => charts.forEach((other, i) => shared(chart, data.charts[i]) && other.show(k))),
  );
  for (const place of report.querySelectorAll("[data-chart]")) place.replaceWith(charts[place.dataset.chart].element);
  charts.forEach((chart) => chart.draw(0));
  report.querySelector(".log")?.addEventListener("change", (event) => {
    charts.forEach((chart) => chart.draw(event.target.checked ? 1 : 0));
  });
  root.append(report);
}

// Whether two charts have the same axis, so that they can share a cursor.
function shared(one, other) {
  return one.axis === other.axis && String(one.at) === String(other.at);
}
