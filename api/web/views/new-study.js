// @ts-check
// A new study: a form from the JSON Schema and the YAML side by side, each follows the other.

import { post, send } from "../lib/api.js";
import { labelledSelect } from "../lib/components.js";
import { fill, h, uniqueId } from "../lib/dom.js";
import { compact, count, duration, measured } from "../lib/format.js";
import { attempt } from "../lib/notices.js";
import { studyLink } from "../lib/router.js";
import { resolved, sectionFields } from "../lib/schema-form.js";
import { toYaml } from "../lib/yaml.js";
import { datasetCheckPanel } from "../panels/dataset-check.js";
import { DATASET_FIELDS, TEMPLATES } from "./study-templates.js";

/** @import { DatasetSpec, StudyCheck, StudySpecInput } from "../types/api.d.ts" */
/** @import { View } from "../lib/router.js" */
/** @import { Access, Schema } from "../lib/schema-form.js" */
/** @import { Mapping } from "../lib/yaml.js" */

const SETTLE_MS = 400;
/** What most people set; the other sections are folded. */
const SECTIONS = ["dataset", "space", "budget", "resources", "compression"];
const FOLDED = ["sampler", "target", "retrain", "score"];

/** @type {View} */
export async function showNewStudy(root, _id, signal) {
  const response = await send("/openapi.json", { signal });
  /** @type {{ components: { schemas: Record<string, Schema> } }} */
  const { components } = await response.json();
  const editor = new Editor(localized(components.schemas), signal);
  const names = Object.keys(TEMPLATES);
  /** @type {[string, string][]} */
  const options = names.map((name) => [name, name]);
  const templates = labelledSelect("Start from", options, names[0], (name) => editor.take(TEMPLATES[name]));
  const head = h("div", { class: "page-head" }, h("h1", {}, "New study"), templates);
  root.replaceChildren(head, editor.element);
  editor.take(TEMPLATES[names[0]]);
  return "New study";
}

/**
 * The schema of a study as OpenAPI has it, with its definitions where JSON Schema has them.
 *
 * @param {Record<string, Schema>} schemas
 * @returns {Schema}
 */
function localized(schemas) {
  const name = schemas.StudySpec ? "StudySpec" : "StudySpec-Input";
  return { ...schemas[name], $defs: schemas };
}

class Editor {
  element;
  #schema;
  #signal;
  /** The study as it stands. @type {Mapping} */
  #document = {};
  #form = h("div", { class: "form" });
  #text;
  #verdict = h("div", { class: "verdict", role: "status" });
  #create;
  /** @type {number | undefined} */
  #timer;
  /** Counts the checks: an answer that a later check has overtaken is dropped. */
  #turn = 0;

  /** @param {Schema} schema @param {AbortSignal} signal */
  constructor(schema, signal) {
    this.#schema = schema;
    this.#signal = signal;
    const id = uniqueId("yaml");
    const typed = () => this.#settle(() => this.#check({ fromText: true }));
    this.#text = h("textarea", { id, rows: 24, spellcheck: "false", autocomplete: "off", on: { input: typed } });
    const create = { class: "primary", disabled: true, on: { click: () => this.#post() } };
    this.#create = h("button", create, "Create the study");
    const yaml = h("section", { class: "panel" }, h("label", { for: id }, h("h2", {}, "As YAML")), this.#text);
    const actions = h("p", { class: "actions" }, this.#create);
    const check = h("section", { class: "panel", "aria-label": "Check" }, this.#verdict, actions);
    const dataset = datasetCheckPanel(() => /** @type {DatasetSpec} */ (this.#section("dataset") ?? {}), signal);
    const form = h("section", { class: "panel", "aria-label": "Form" }, this.#form);
    this.element = h("div", { class: "editor" }, form, h("div", { class: "side" }, yaml, check, dataset));
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** Start anew from a study. @param {Mapping} study */
  take(study) {
    this.#document = structuredClone(study);
    this.#draw();
    this.#write();
  }

  /** What a section holds, where it is a mapping. @param {string} name @returns {Mapping | undefined} */
  #section(name) {
    const held = this.#document[name];
    return typeof held === "object" && held !== null ? /** @type {Mapping} */ (held) : undefined;
  }

  #draw() {
    const { name } = this.#schema.properties ?? {};
    const own = { value: () => this.#document.name, change: this.#setter(() => this.#document) };
    fill(
      this.#form,
      sectionFields({ properties: { name } }, this.#schema, own),
      SECTIONS.map((section) => this.#fieldset(section)),
      FOLDED.map((section) => h("details", {}, h("summary", {}, section), this.#fieldset(section))),
    );
    this.#showFieldsOfSource();
  }

  /** @param {string} name of a section */
  #fieldset(name) {
    const schema = resolved(this.#schema.properties?.[name] ?? {}, this.#schema);
    /** @type {Access} */
    const access = {
      value: (field) => this.#section(name)?.[field],
      change: this.#setter(() => {
        const held = this.#section(name) ?? {};
        this.#document[name] = held;
        return held;
      }),
    };
    return h("fieldset", { "data-section": name }, h("legend", {}, name), sectionFields(schema, this.#schema, access));
  }

  /** Writes a field into what `holder()` answers with. @param {() => Mapping} holder @returns {Access["change"]} */
  #setter(holder) {
    return (field, value) => {
      const held = holder();
      if (value === undefined) delete held[field];
      else held[field] = value;
      this.#showFieldsOfSource();
      this.#write();
    };
  }

  /** Of the data set's fields, show those that the chosen source reads. */
  #showFieldsOfSource() {
    const source = String(this.#section("dataset")?.source);
    for (const [field, sources] of Object.entries(DATASET_FIELDS)) {
      /** @type {HTMLElement | null} */
      const row = this.#form.querySelector(`[data-section="dataset"] [data-field="${field}"]`);
      if (row) row.hidden = !sources.includes(source);
    }
  }

  #write() {
    this.#text.value = toYaml(this.#document);
    this.#settle(() => this.#check({ fromText: false }));
  }

  /** Do `work` once nothing has changed for a moment. @param {() => Promise<void>} work */
  #settle(work) {
    clearTimeout(this.#timer);
    this.#create.disabled = true;
    this.#timer = setTimeout(() => attempt(work), SETTLE_MS);
  }

  /** @param {{ fromText: boolean }} options whether the text has changed, and the form follows */
  async #check({ fromText }) {
    const turn = (this.#turn += 1);
    const check = await post("/studies/check", { text: this.#text.value });
    if (turn !== this.#turn || this.#signal.aborted) return;
    if (fromText && check.document !== null && typeof check.document === "object") {
      this.#document = /** @type {Mapping} */ (check.document);
      this.#draw();
    }
    this.#create.disabled = check.problems.length > 0;
    fill(this.#verdict, check.problems.length ? problemList(check.problems) : outlook(check));
  }

  #post() {
    return attempt(async () => {
      // The server has checked the document: only then can it be sent.
      const study = await post("/studies", /** @type {StudySpecInput} */ (/** @type {unknown} */ (this.#document)));
      location.hash = studyLink(study.id);
    });
  }
}

/** @param {StudyCheck["problems"]} problems */
function problemList(problems) {
  const lines = problems.map(({ field, message }) => h("li", {}, h("code", {}, field), `: ${message}`));
  return [h("p", {}, `${count(problems.length)} to fix:`), h("ul", {}, lines)];
}

/** How much there is to search, and how long it takes. @param {StudyCheck} check */
function outlook({ networks, estimate }) {
  const many = networks === null ? "More" : networks >= 1e6 ? compact(networks) : count(networks);
  const size = `${many} networks ${networks === null ? "than can be counted" : "to draw from"}.`;
  if (estimate === null) {
    const words = "No trial has run on this data set yet. The first trials will show how long the search takes.";
    return [h("p", {}, size), h("p", { class: "muted" }, words)];
  }
  const { trials, epoch_s, search_s, core_hours, gpu_hours } = estimate;
  const cost = gpu_hours > 0 ? `${measured(gpu_hours)} GPU hours` : `${measured(core_hours)} core hours`;
  const basis = `Estimated from ${count(trials)} trials on this data set, ${measured(epoch_s)} s per epoch.`;
  return [
    h("p", {}, size),
    h("p", {}, `The search takes about ${duration(search_s)}, ${cost}.`),
    h("p", { class: "muted" }, basis),
  ];
}
