// Puts the live view in the place of a still picture. Whatever goes wrong leaves the picture.
function upgrade(key, view, data, css) {
  for (const host of document.querySelectorAll(`[data-figure="${key}"]`)) {
    if (host.shadowRoot) continue; // shown before, elsewhere on the page
    const still = host.firstElementChild;
    const root = host.attachShadow({ mode: "open" });
    try {
      const follow = () => (host.style.colorScheme = surroundings());
      new MutationObserver(follow).observe(document.body, { attributes: true }); // the reader may switch
      follow();
      root.innerHTML = `<style>${css}</style>`;
      root.addEventListener("keydown", kept);
      view(root, data, still.tagName === "IMG" ? decoded(still.src) : still.outerHTML);
      still.remove();
    } catch (error) {
      console.error("symcnn:", error);
      root.innerHTML = "<slot></slot>"; // what was there before
    }
  }
}

// Keys that a control of the figure has the focus for: a notebook would take an "x" for "cut this cell", an arrow for "go on".
function kept(event) {
  const control = event.target.closest("button, input, select, textarea");
  const forThePage = event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key === "Enter");
  if (control && !forThePage) event.stopPropagation();
}

function decoded(source) {
  const bytes = Uint8Array.from(atob(source.split(",")[1]), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

// JupyterLab, VS Code and mkdocs choose light or dark by themselves; elsewhere the system's choice counts.
function surroundings() {
  const { jpThemeLight, vscodeThemeKind, mdColorScheme } = document.body.dataset;
  const dark = jpThemeLight === "false" || /dark/.test(vscodeThemeKind ?? "") || mdColorScheme === "slate";
  const light = jpThemeLight === "true" || /light/.test(vscodeThemeKind ?? "") || mdColorScheme === "default";
  return dark ? "dark" : light ? "light" : "light dark";
}

// element("button", { class: "next", onclick }, "Next"): an HTML element with attributes, listeners and children.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
