export { findLineage } from '../find-lineage.ts';
export { askEventLog } from './ask-event-log.ts';
export { drawLineage } from './draw-lineage.ts';
export { type FollowedLineage, followLineage } from './follow-lineage.ts';
export { type MarkReader, openMarks } from './marks.ts';
export {
  openSweep,
  relayRepair,
} from './relay-of-service.ts';
export { type SweepSummary, sweep } from './sweep.ts';
export type { Whereabouts } from './whereabouts.ts';
