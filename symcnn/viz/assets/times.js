// A bar for each kernel: where the time of a call goes. A click on a heading sorts by it.
function times(root, data) {
  const columns = ["#", "kernel", "algorithm", "ms", "share", "GFLOP/s", "GB/s"];
  const total = data.rows.reduce((sum, row) => sum + row[3], 0);
  const most = Math.max(...data.rows.map((row) => row[3]), 1e-9);
  let by = 3;
  const body = element("tbody", {});
  const heads = columns.map((name, k) => element("th", { class: k && k < 3 ? "" : "n", scope: "col" }, element("button", { type: "button", onclick: () => sort(k) }, name)));
  function sort(k) {
    by = k;
    heads.forEach((head, n) => head.setAttribute("aria-sort", n !== by ? "none" : by > 2 ? "descending" : "ascending"));
    const order = [...data.rows].sort((a, b) => (by > 2 ? b[by] - a[by] : by ? a[by].localeCompare(b[by]) : a[0] - b[0]));
    body.replaceChildren(...order.map(line));
  }
  function line([index, name, algorithm, ms, share, gflops, gbytes]) {
    const bar = element("span", { class: "stripe", style: `width: ${Math.max((160 * ms) / most, 1)}px` });
    const numbers = [`${(100 * share).toFixed(1)} %`, gflops.toFixed(1), gbytes.toFixed(1)];
    return element(
      "tr",
      {},
      element("td", { class: "n" }, index),
      element("td", {}, name),
      element("td", {}, algorithm),
      element("td", { class: "n" }, ms.toFixed(3)),
      element("td", {}, bar),
      ...numbers.map((text) => element("td", { class: "n" }, text)),
    );
  }
  const calls = data.calls === 1 ? "one call" : `${data.calls} calls`;
  root.append(
    element("p", {}, `${total.toPrecision(3)} ms for a call: the median of ${calls}, kernel by kernel.`),
    element("div", { class: "long", tabindex: 0, role: "region", "aria-label": "times of kernels" }, element("table", { class: "times" }, element("thead", {}, element("tr", {}, ...heads.slice(0, 4), element("td"), ...heads.slice(4))), body)),
  );
  sort(3);
}
