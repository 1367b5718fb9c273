export { findLineage } from '../find-lineage.ts';
export { askEventLog } from './ask-event-log.ts';
export { drawLineage } from './draw-lineage.ts';
export { type FollowedLineage, followLineage } from './follow-lineage.ts';
export { type Expectation, type MarkReader, markReader, openMarks } from './marks.ts';
export {
  openSweep,
  relayInvoker,
  relayNameOf,
  relayRepair,
  type SweepSources,
  type SweptStage,
} from './relay-of-service.ts';
export { type SweepOptions, type SweepSummary, type SweptState, sweep } from './sweep.ts';
export type { LetterReason, Whereabouts } from './whereabouts.ts';
