// Values of a figure's curves under the pointer, or by the arrow keys: they lie in the figure itself.
const MOST = 12; // curves whose values are shown at once
for (const picture of document.querySelectorAll(".picture")) {
  const svg = picture.querySelector("svg[data-values]");
  const panels = svg ? JSON.parse(svg.dataset.values) : [];
  if (!panels.length) continue;
  const note = picture.appendChild(document.createElement("div"));
  note.className = "values";
  note.setAttribute("role", "status");
  note.hidden = true;
  const rule = svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
  rule.setAttribute("style", "stroke: #555; stroke-dasharray: 3 3; fill: none; pointer-events: none");
  const written = (value) => Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
  let shown = null; // the panel and its x

  const place = (panel, x) => {
    const scale = panel.log ? Math.log : (v) => v;
    const [low, high] = panel.limits.map(scale);
    return panel.box[0] + ((panel.box[2] - panel.box[0]) * (scale(x) - low)) / (high - low);
  };
  const steps = (panel) => [...new Set(panel.curves.flatMap((curve) => curve.x))].filter((x) => x !== null).sort((a, b) => a - b);

  function show(panel, x, share = 0) { // share: how high in the panel the pointer is, 0 to 1
    shown = { panel, x };
    const all = panel.curves
      .map((curve) => ({ curve, y: curve.y[curve.x.indexOf(x)] }))
      .filter(({ y }) => y !== undefined && y !== null)
      .sort((a, b) => b.y - a.y);
    const first = Math.round((1 - share) * Math.max(0, all.length - MOST)); // of many those near it
    const rows = all.slice(first, first + MOST);
    const table = document.createElement("table");
    for (const { curve, y } of rows) {
      const row = table.insertRow();
      const swatch = row.insertCell();
      swatch.textContent = "\u25cf";
      swatch.style.color = curve.colour;
      row.insertCell().textContent = curve.name;
      row.insertCell().textContent = written(y);
    }
    note.replaceChildren(`${panel.title ? panel.title + ", " : ""}${panel.x} ${written(x)}`, table);
    note.hidden = false;
    const at = place(panel, x);
    rule.setAttribute("d", `M${at} ${panel.box[1]}V${panel.box[3]}`);
    const matrix = svg.getScreenCTM(), frame = picture.getBoundingClientRect();
    const left = at * matrix.a + matrix.e - frame.left + picture.scrollLeft;
    const space = frame.width - note.offsetWidth - 4;
    note.style.left = `${left + 12 > space ? Math.max(4, left - note.offsetWidth - 12) : left + 12}px`;
    note.style.top = `${Math.max(4, panel.box[1] * matrix.d + matrix.f - frame.top)}px`;
  }
  function hide() {
    shown = null;
    note.hidden = true;
    rule.removeAttribute("d");
  }
  svg.addEventListener("pointermove", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const panel = panels.find(({ box }) => point.x >= box[0] - 4 && point.x <= box[2] + 4 && point.y >= box[1] && point.y <= box[3]);
    if (!panel) return hide();
    const near = (x) => Math.abs(place(panel, x) - point.x);
    const x = steps(panel).reduce((best, x) => (near(x) < near(best) ? x : best));
    show(panel, x, (panel.box[3] - point.y) / (panel.box[3] - panel.box[1]));
  });
  svg.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    if (!shown) return show(panels[0], steps(panels[0])[0]);
    // Beyond the end of a panel comes the next one.
    const all = panels.flatMap((panel) => steps(panel).map((x) => ({ panel, x })));
    const next = all[all.findIndex(({ panel, x }) => panel === shown.panel && x === shown.x) + by];
    if (next) show(next.panel, next.x);
  });
}
// A link to what is folded opens it.
function unfold() {
  const target = document.getElementById(location.hash.slice(1));
  const folded = target && target.closest("details");
  if (folded && !folded.open) { folded.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", unfold);
unfold();
