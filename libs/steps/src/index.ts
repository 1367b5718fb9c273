export { StepRefusal } from './errors.ts';
export { named, readStepFailure, type StepFailure } from './named-failure.ts';
export { nextExecution, type Resumed } from './next-execution.ts';
export { ignoringDuplicates, type StepContext, type StepContract, step } from './step.ts';
