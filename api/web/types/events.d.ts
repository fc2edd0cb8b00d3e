// The server-sent events of a study. The OpenAPI document does not describe them: services/store emits them.

import type { JobState, StudyState, TrialRole, TrialState } from "./api.d.ts";

interface Emitted {
  event_id: number;
  trial_id: string | null;
  at: string;
}

export interface StudyChanged extends Emitted {
  kind: "study" | "budget";
  state?: StudyState;
  reason?: string | null;
}

export interface TrialChanged extends Emitted {
  kind: "trial";
  trial_id: string;
  number: number;
  state: TrialState;
  role?: TrialRole | null;
  family?: string | null;
  reason?: string | null;
  host?: string | null;
  metrics?: Record<string, number>;
}

export interface EpochEnded extends Emitted {
  kind: "epoch";
  trial_id: string;
  epoch: number;
  f1: number;
}

export interface VariantMade extends Emitted {
  kind: "variant";
  id: string;
}

export interface JobChanged extends Emitted {
  kind: "compression" | "training" | "training_epoch" | "test_scoring";
  state?: JobState;
}

export interface ActionTaken extends Emitted {
  kind: "action";
  action: "create" | "extend" | "pause" | "resume" | "cancel" | "compress" | "train" | "retry";
  by: { id: string | null; name: string };
}

export type StudyEvent = StudyChanged | ActionTaken | TrialChanged | EpochEnded | VariantMade | JobChanged;
