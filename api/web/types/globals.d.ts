// What the scripts of others define: plotly.js for the charts, Swagger UI for the reference.

import type * as Plotly from "plotly.js";

declare module "plotly.js" {
  interface PlotData {
    // Of bars: where each starts, and which bars stand in one row. @types/plotly.js does not have them.
    base: number[];
    offsetgroup: string;
  }
}

declare global {
  interface Window {
    Plotly: typeof Plotly;
    SwaggerUIBundle: { (options: object): void; presets: { apis: unknown } };
  }
}
