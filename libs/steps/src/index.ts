export { StepRefusal } from './errors.ts';
export { ignoringDuplicates, type StepContext, type StepContract, step } from './step.ts';
