// @ts-check
// The entry of the page: which view a hash shows, and the skip link.

import { byId } from "./lib/dom.js";
import { start } from "./lib/router.js";
import { showCluster } from "./views/cluster.js";
import { showDataset, showDatasets } from "./views/datasets.js";
import { showNewStudy } from "./views/new-study.js";
import { showStudies } from "./views/studies.js";
import { showStudy } from "./views/study.js";
import { showTrial } from "./views/trial.js";

const main = byId("main");

byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

start(main, [
  { pattern: /^#\/studies$/, show: showStudies },
  { pattern: /^#\/studies\/([\w-]+)$/, show: showStudy },
  { pattern: /^#\/new$/, show: showNewStudy },
  { pattern: /^#\/datasets$/, show: showDatasets },
  { pattern: /^#\/datasets\/([\w-]+)$/, show: showDataset },
  { pattern: /^#\/cluster$/, show: showCluster },
  { pattern: /^#\/trials\/([\w-]+)$/, show: showTrial },
]);
