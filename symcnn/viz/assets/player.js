// player(12, show, { label: "window" }): buttons, a slider and keys that walk through the steps 0 .. 11.
// show(index) draws one step; what it returns, if anything, stands beside the slider and is read out.
// keys: an element (the picture, say) that takes the arrow keys, Home, End and the space bar, too.
// The element that comes back has go(index), and restart(count, index) for another number of steps.
function player(steps, show, { label = "step", start = 0, seconds = 0.9, keys } = {}) {
  let index = 0;
  let timer = null;
  const slider = element("input", { type: "range", min: 0, step: 1, "aria-label": label, oninput: () => go(+slider.value) });
  const caption = element("output", { class: "caption" });
  const button = (name, sign, onclick) => element("button", { type: "button", "aria-label": name, title: name, onclick }, sign);
  const back = button(`previous ${label}`, "◀", () => go(index - 1));
  const play = button("play", "", () => (timer ? pause() : resume()));
  const next = button(`next ${label}`, "▶", () => go(index + 1));
  const bar = element("div", { class: "player", role: "group", "aria-label": `${label}s` }, play, back, slider, next, caption);

  function draw(to) {
    index = Math.max(0, Math.min(steps - 1, to));
    slider.max = Math.max(steps - 1, 0);
    slider.value = index;
    slider.disabled = play.disabled = steps < 2;
    back.disabled = index === 0;
    next.disabled = index >= steps - 1;
    const said = show(index);
    caption.textContent = said ?? `${label} ${index + 1} of ${steps}`;
    slider.setAttribute("aria-valuetext", caption.textContent);
  }
  function go(to) {
    pause();
    draw(to);
  }
  function pause() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    play.setAttribute("aria-label", "play");
    play.title = "play (space)";
  }
  function resume() {
    draw(index === steps - 1 ? 0 : index + 1); // from the end it starts again
    timer = setInterval(() => (index < steps - 1 && bar.isConnected ? draw(index + 1) : pause()), 1000 * seconds);
    play.textContent = "Pause";
    play.setAttribute("aria-label", "pause");
    play.title = "pause (space)";
  }

  if (keys) {
    keys.tabIndex = 0;
    keys.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: () => go(index - 1), ArrowRight: () => go(index + 1), Home: () => go(0), End: () => go(steps - 1), " ": () => play.click() };
      if (event.target !== keys || !(event.key in moves) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault(); // the page must not scroll
      moves[event.key]();
    });
  }
  bar.go = go;
  bar.restart = (count, at = 0) => {
    steps = count;
    go(at);
  };
  go(start);
  return bar;
}
