export { drawLineage } from './draw-lineage.ts';
export { type FollowedLineage, followLineage } from './follow-lineage.ts';
export { openEventLog } from './open-event-log.ts';
export type { LetterReason, Whereabouts } from './whereabouts.ts';
