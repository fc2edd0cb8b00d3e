// The entry of the page: which view a hash shows, and the skip link.

import { showCluster } from "./cluster.js";
import { showDataset, showDatasets } from "./dataset.js";
import { showNewStudy } from "./new.js";
import { start } from "./router.js";
import { showStudies } from "./studies.js";
import { showStudy } from "./study.js";
import { showTrial } from "./trial.js";

const main = document.getElementById("main");

document.getElementById("skip").addEventListener("click", (event) => {
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
