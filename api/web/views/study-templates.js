// @ts-check
// Studies that the form can start from, and the fields that each source of images reads.

/** @import { Mapping } from "../lib/yaml.js" */

/** @type {Record<string, Mapping>} */
export const TEMPLATES = {
  "Your images": {
    name: "my-images",
    dataset: { source: "folder", path: "" },
    space: { architecture: "pretrained" },
    budget: { max_minutes: 30 },
  },
  "Your images, with fresh weights": {
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

/**
 * The sources that read a field of the data set; a field that is not here is read for every source.
 *
 * @type {Record<string, string[]>}
 */
export const DATASET_FIELDS = {
  path: ["folder", "coco", "torchvision", "parquet"],
  name: ["torchvision", "sklearn"],
  download: ["torchvision"],
  annotations: ["coco"],
  test_list: ["folder"],
  classes: ["coco"],
  min_side_px: ["coco"],
  margin: ["coco"],
  image_column: ["parquet"],
  label_column: ["parquet"],
};
