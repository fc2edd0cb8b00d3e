// Charts by plotly.js, in the colours of the page: loaded with the first chart, drawn again when the colours change.

const SOURCE = "/web/plotly/plotly.min.js";
const COLOURS = ["text", "muted", "surface", "border", "accent", "info", "warning", "track"];
const DARK = matchMedia("(prefers-color-scheme: dark)");
const TOUCH = matchMedia("(pointer: coarse)");

let loading = null;

function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SOURCE;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error(`The charts need ${SOURCE}, which did not load.`)));
    document.head.append(script);
  });
  return loading;
}

/** The page's colours, by the names of their CSS variables. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/**
 * A chart in `element`. `draw(colours)` answers with {traces, x, y, summary}: axes as plotly's, and a sentence for who
 * cannot see it. `update()` draws it again; `onClick` gets the customdata of a point.
 */
export function chart(element, draw, { signal, onClick }) {
  element.classList.add("chart");

  async function update() {
    const library = await plotly().catch((error) => {
      element.textContent = error.message;
    });
    if (!library || signal.aborted) return;
    const colours = palette();
    const { traces, x, y, summary } = draw(colours);
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", summary);
    const config = { displayModeBar: false, responsive: true };
    await library.react(element, traces, layout(colours, x, y), config);
    listen();
  }

  let listening = false;
  function listen() {
    if (listening) return;
    listening = true;
    if (onClick) element.on("plotly_click", ({ points }) => points[0].customdata && onClick(points[0].customdata));
    DARK.addEventListener("change", update, { signal });
    signal.addEventListener("abort", () => window.Plotly.purge(element), { once: true });
  }

  return { update };
}

function layout(colours, x, y) {
  const axis = (options) => ({
    gridcolor: colours.border,
    linecolor: colours.border,
    zeroline: false,
    automargin: true,
    ...options,
    title: { text: options.title, standoff: 8 },
  });
  return {
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family: "system-ui, sans-serif", size: 13, color: colours.text },
    margin: { l: 8, r: 12, t: 8, b: 8 },
    dragmode: TOUCH.matches ? false : "zoom",
    hovermode: "closest",
    hoverlabel: { bgcolor: colours.surface, bordercolor: colours.border, font: { color: colours.text }, align: "left" },
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", itemclick: false, itemdoubleclick: false },
    uirevision: `${x.title} ${y.title}`,
    xaxis: axis(x),
    yaxis: axis(y),
  };
}
