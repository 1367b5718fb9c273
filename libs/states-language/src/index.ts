export {
  type CompileOptions,
  compileDefinition,
  compileSingleState,
} from './definition/compile.ts';
export type {
  ChoiceState,
  CompiledDefinition,
  FailState,
  Machine,
  MachineType,
  MapState,
  ParallelState,
  RecoverableState,
  Retrier,
  State,
  StateOutput,
  TaskState,
} from './definition/machine.ts';
export { isRecoverable } from './definition/machine.ts';
export type { IntegrationPattern, TaskResource } from './definition/resource.ts';
export { checkSupported } from './definition/supported.ts';
export { DefinitionError, EvaluationFailure, errorNames, RuntimeFailure, StateFailure } from './failure.ts';
export { compact, isEqual, isObject, type Json, type JsonObject } from './json.ts';
export type { Chance, Scope } from './scope.ts';
export { type DefinitionProperties, definitionInTemplate, placeholdersIn } from './template.ts';
