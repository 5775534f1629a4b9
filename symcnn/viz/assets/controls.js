// Settings of an animation: numbers and choices, each with its name before it.
function numberControl(name, value, low, high, change) {
  const input = element("input", { type: "number", value, min: low, max: high, step: 1 });
  input.addEventListener("input", () => {
    if (input.value !== "" && input.validity.valid) change(+input.value);
  });
  input.addEventListener("change", () => {
    if (input.validity.valid && input.value !== "") return;
    input.value = Math.max(low, Math.min(high, Math.round(+input.value) || low)); // the nearest that is allowed
    change(+input.value);
  });
  return element("label", {}, `${name} `, input);
}

function choiceControl(name, value, options, change) {
  const select = element("select", {}, ...options.map((o) => element("option", { value: o, selected: o === value }, o)));
  select.addEventListener("change", () => change(select.value));
  return element("label", {}, `${name} `, select);
}

function controlBar(...controls) {
  return element("div", { class: "controls", role: "group", "aria-label": "settings" }, ...controls);
}
