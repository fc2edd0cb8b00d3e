// A new study: a form from the JSON Schema and the YAML side by side, each follows the other.

import { get, post } from "../lib/api.js";
import { datasetCheck } from "./datasets.js";
import { attempt, fill, h, labelledSelect, uniqueId } from "../lib/dom.js";
import { compact, count, duration, measured } from "../lib/format.js";
import { resolved, sectionFields } from "../lib/schema-form.js";
import { studyLink } from "../lib/router.js";
import { toYaml } from "../lib/yaml.js";

const SETTLE_MS = 400;
/** What most people set; the other sections are folded. */
const SECTIONS = ["dataset", "space", "budget", "resources", "compression"];
const FOLDED = ["sampler", "target", "retrain", "score"];
const TEMPLATES = {
  "Your images": {
    name: "my-images",
    dataset: { source: "folder", path: "" },
    space: { architecture: "blocks-small", image_size: [64, 96], batch_size: 64 },
    budget: { max_trials: 20, epochs: 5 },
  },
  "Digits, to try it": {
    name: "digits",
    dataset: { source: "sklearn" },
    space: { image_size: 16, batch_size: [32, 64] },
    budget: { max_trials: 6, epochs: 3 },
    compression: { max_candidates: 2 },
  },
  "Boxes of a COCO file": {
    name: "crops",
    dataset: { source: "coco", path: "", annotations: "", min_side_px: 16 },
    space: { architecture: "mobile", image_size: [96, 128] },
    budget: { max_trials: 40, epochs: 8, max_minutes: 120 },
  },
};

export async function showNewStudy(root, _id, signal) {
  const { components } = await get("/openapi.json", {}, { signal });
  const schema = localized(components.schemas);
  const editor = new Editor(schema, signal);
  const names = Object.keys(TEMPLATES).map((name) => [name, name]);
  const templates = labelledSelect("Start from", names, names[0][0], (name) => editor.take(TEMPLATES[name]));
  const head = h("div", { class: "page-head" }, h("h1", {}, "New study"), templates);
  root.replaceChildren(head, editor.element);
  editor.take(Object.values(TEMPLATES)[0]);
  return "New study";
}

/** The schema of a study as OpenAPI has it, with its definitions where JSON Schema has them. */
function localized(schemas) {
  const name = schemas.StudySpec ? "StudySpec" : "StudySpec-Input";
  return { ...schemas[name], $defs: schemas };
}

class Editor {
  element;
  #schema;
  #signal;
  #document = {};
  #form = h("div", { class: "form" });
  #text;
  #verdict = h("div", { class: "verdict", role: "status" });
  #create;
  #timer = null;
  #turn = 0;

  constructor(schema, signal) {
    this.#schema = schema;
    this.#signal = signal;
    const id = uniqueId("yaml");
    const typed = () => this.#settle(() => this.#check({ fromText: true }));
    this.#text = h("textarea", { id, rows: 24, spellcheck: "false", autocomplete: "off", on: { input: typed } });
    this.#create = h("button", { class: "primary", disabled: true, on: { click: () => this.#post() } }, "Create the study");
    const dataset = datasetCheck(() => this.#document.dataset, signal);
    const yaml = h("section", { class: "panel" }, h("label", { for: id }, h("h2", {}, "As YAML")), this.#text);
    const check = h("section", { class: "panel", "aria-label": "Check" }, this.#verdict, h("p", { class: "actions" }, this.#create));
    const side = h("div", { class: "side" }, yaml, check, dataset);
    this.element = h("div", { class: "editor" }, h("section", { class: "panel", "aria-label": "Form" }, this.#form), side);
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  take(document) {
    this.#document = structuredClone(document);
    this.#draw();
    this.#write();
  }

  #draw() {
    const name = sectionFields({ properties: { name: this.#schema.properties.name } }, this.#schema, this.#access(null));
    fill(this.#form, name, SECTIONS.map((section) => this.#section(section)), FOLDED.map((section) => this.#folded(section)));
    this.#showSources();
  }

  #section(name) {
    const schema = resolved(this.#schema.properties[name], this.#schema);
    const fields = sectionFields(schema, this.#schema, this.#access(name));
    return h("fieldset", {}, h("legend", {}, name), fields);
  }

  #folded(name) {
    const { element } = { element: this.#section(name) };
    return h("details", {}, h("summary", {}, name), element);
  }

  #access(section) {
    const holder = () => (section === null ? this.#document : (this.#document[section] ??= {}));
    return {
      value: (name) => (section === null ? this.#document : (this.#document[section] ?? {}))[name],
      change: (name, value) => {
        holder()[name] = value;
        if (value === undefined) delete holder()[name];
        this.#showSources();
        this.#write();
      },
    };
  }

  /** Of the data set's fields, those of the chosen source. */
  #showSources() {
    for (const row of this.#form.querySelectorAll("[data-sources]")) {
      const sources = row.dataset.sources.split(" ").filter(Boolean);
      row.hidden = sources.length > 0 && !sources.includes(this.#document.dataset?.source);
    }
  }

  #write() {
    this.#text.value = toYaml(this.#document);
    this.#settle(() => this.#check({ fromText: false }));
  }

  #settle(work) {
    clearTimeout(this.#timer);
    this.#create.disabled = true;
    this.#timer = setTimeout(() => attempt(work), SETTLE_MS);
  }

  async #check({ fromText }) {
    const turn = (this.#turn += 1);
    const found = await post("/studies/check", { text: this.#text.value });
    if (turn !== this.#turn || this.#signal.aborted) return;
    if (fromText && found.document !== null && typeof found.document === "object") {
      this.#document = found.document;
      this.#draw();
    }
    this.#create.disabled = found.problems.length > 0;
    fill(this.#verdict, found.problems.length ? mistakes(found.problems) : outlook(found));
  }

  #post() {
    return attempt(async () => {
      const study = await post("/studies", this.#document);
      location.hash = studyLink(study.id);
    });
  }
}

function mistakes(problems) {
  const lines = problems.map(({ field, message }) => h("li", {}, h("code", {}, field), `: ${message}`));
  return [h("p", {}, `${count(problems.length)} to put right:`), h("ul", {}, lines)];
}

function outlook({ networks, estimate }) {
  const size = h("p", {}, `${networks < 1e6 ? count(networks) : compact(networks)} networks to draw from.`);
  if (estimate === null) {
    return [size, h("p", { class: "muted" }, "No trial has run on this data set yet: its first ones will tell how long they take.")];
  }
  const { trials, epoch_s, search_s, core_hours, gpu_hours } = estimate;
  const cost = gpu_hours > 0 ? `${measured(gpu_hours)} GPU hours` : `${measured(core_hours)} core hours`;
  return [
    size,
    h("p", {}, `The search takes about ${duration(search_s)}, ${cost}.`),
    h("p", { class: "muted" }, `From ${count(trials)} trials on this data set, ${measured(epoch_s)} s an epoch.`),
  ];
}
