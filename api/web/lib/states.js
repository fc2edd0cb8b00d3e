// @ts-check
// The states of studies and trials and the roles of trials: their badges and names, and drop-downs that filter by them.

import { h } from "./dom.js";

/** @import { JobState, StudyState, TrialRole, TrialState } from "../types/api.d.ts" */

/** @type {StudyState[]} */
export const STUDY_STATES = ["QUEUED", "RUNNING", "PAUSED", "COMPLETED", "FAILED", "CANCELLED"];
/** @type {TrialState[]} */
export const TRIAL_STATES = ["RUNNING", "COMPLETED", "STOPPED", "INFEASIBLE", "FAILED", "CANCELLED"];
/** What the trials with a role are called. @type {Record<TrialRole, string>} */
export const ROLE_NAMES = { probe: "linear probe", plain: "plain way" };

/**
 * A state as a badge: its word, and a colour that adds to it.
 *
 * @param {StudyState | TrialState | JobState} state
 */
export function badge(state) {
  return h("span", { class: `badge ${state.toLowerCase()}` }, state.toLowerCase());
}

/**
 * The place in its queue of what waits to start.
 *
 * @param {{ queue_position?: number | null }} waiting
 */
export function queuePlace({ queue_position: place }) {
  return place != null && h("span", { class: "muted" }, ` number ${place} in the queue`);
}

/**
 * The options of a drop-down that filters by a state; "" is every state.
 *
 * @template {string} State
 * @param {State[]} states
 * @returns {[value: State | "", text: string][]}
 */
export const stateOptions = (states) => [["", "all"], ...states.map(withText)];

/** @template {string} State @param {State} state @returns {[State, string]} */
const withText = (state) => [state, state.toLowerCase()];
