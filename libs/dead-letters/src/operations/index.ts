export { clientConfiguration, createClients, operatorDocumentClient, operatorStepFunctions } from './clients.ts';
export { consumerKey, consumerOfRule } from './consumer-name.ts';
export { type DeadLetterCriteria, deadLetterFilter, isFiltering } from './dead-letter-filter.ts';
export { type DrainOptions, type DrainSummary, isComplete } from './drain.ts';
export { exportDeadLetters } from './export-dead-letters.ts';
export {
  type ImportedEvent,
  type ImportProblem,
  importDeadLetters,
} from './import-dead-letters.ts';
export { type InspectionSummary, inspect } from './inspect.ts';
export { listQueues } from './list.ts';
export { mapConcurrently } from './map-concurrently.ts';
export { describeTarget, type OpenStage, openStage } from './open-stage.ts';
export { park } from './park.ts';
export { purge } from './purge.ts';
export { type Operation, redrive } from './redrive.ts';
export { isExecutionQueue, redriveExecutions } from './redrive-executions.ts';
export { type RelayRepair, redriveRelay } from './redrive-relay.ts';
export { reemit } from './reemit.ts';
export {
  cancelReplay,
  planReplay,
  type ReplayPlan,
  startReplay,
  watchReplay,
} from './replay.ts';
export { ruleMessageGroups } from './rule-target.ts';
export { type ShownDeadLetter, shownDeadLetter } from './shown-dead-letter.ts';
export { depthOf, readQueue, relayServiceOf, type StageQueue, StageQueues } from './stage-queues.ts';
export { type StoppedState, stoppedState } from './stopped-state.ts';
