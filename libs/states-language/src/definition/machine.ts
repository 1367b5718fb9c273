import type { Json, JsonObject } from '../json.ts';
import type { Evaluate, Scope } from '../scope.ts';
import type { TaskResource } from './resource.ts';

export type QueryLanguage = 'JSONPath' | 'JSONata';
export type MachineType = 'STANDARD' | 'EXPRESS';

/** States that run one after the other: a machine, a branch, or what an iteration does. */
export interface Machine {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

/** A whole definition. */
export interface CompiledDefinition extends Machine {
  readonly timeoutSeconds: number | undefined;
}

/** What the input or output of a state was at a step of its processing. */
export type Inspect = (step: string, value: Json) => void;

/** What a state leaves behind. */
export interface StateOutput {
  readonly output: Json;
  /** Variables. */
  readonly assigned: JsonObject;
}

/** How data get into a state and out of it. */
export interface DataFlow {
  /** Makes the effective input: `InputPath` and `Parameters`, or `Arguments`. */
  prepare(scope: Scope, inspect?: Inspect): Promise<Json>;
  /** Makes the output: `ResultSelector`, `ResultPath`, `OutputPath` and `Assign`, or `Output` and `Assign`. */
  complete(scope: Scope, result: Json, inspect?: Inspect): Promise<StateOutput>;
}

export interface Retrier {
  readonly errors: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number | undefined;
  readonly hasFullJitter: boolean;
}

export interface Catcher {
  readonly errors: readonly string[];
  readonly next: string;
  /** @param scope with the error output */
  complete(scope: Scope, errorOutput: JsonObject): Promise<StateOutput>;
}

interface StateBase {
  readonly name: string;
  readonly language: QueryLanguage;
  /** Undefined where the state ends its machine. */
  readonly next: string | undefined;
  readonly flow: DataFlow;
}

interface Recoverable {
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

export interface PassState extends StateBase {
  readonly type: 'Pass';
  readonly result: Json | undefined;
}

export interface SucceedState extends StateBase {
  readonly type: 'Succeed';
}

export interface FailState extends StateBase {
  readonly type: 'Fail';
  readonly error: Evaluate<string> | undefined;
  readonly reason: Evaluate<string> | undefined;
}

export interface WaitState extends StateBase {
  readonly type: 'Wait';
  /** @returns when it ends, in milliseconds since the epoch */
  readonly until: Evaluate<number>;
}

export interface ChoiceRule {
  readonly next: string;
  matches(scope: Scope): Promise<boolean>;
  /** Its own `Assign` and `Output`. */
  readonly flow: DataFlow;
}

export interface ChoiceState extends StateBase {
  readonly type: 'Choice';
  readonly rules: readonly ChoiceRule[];
  readonly default: string | undefined;
}

export interface TaskState extends StateBase, Recoverable {
  readonly type: 'Task';
  readonly resource: TaskResource;
  /** It would act under another role than the execution's. */
  readonly hasCredentials: boolean;
  readonly timeoutSeconds: Evaluate<number> | undefined;
  readonly heartbeatSeconds: Evaluate<number> | undefined;
}

export interface ParallelState extends StateBase, Recoverable {
  readonly type: 'Parallel';
  readonly branches: readonly Machine[];
}

export interface MapState extends StateBase, Recoverable {
  readonly type: 'Map';
  readonly processor: Machine;
  readonly isDistributed: boolean;
  /** Of what is mapped over; it is the effective input in JSONPath. */
  readonly items: Evaluate<Json[]>;
  /** Has `ItemReader`: the items come from S3. */
  readonly hasReader: boolean;
  /** Makes the input of an iteration; the item itself without it. */
  readonly selector: Evaluate | undefined;
  readonly maxConcurrency: Evaluate<number>;
  readonly toleratedCount: Evaluate<number> | undefined;
  readonly toleratedPercentage: Evaluate<number> | undefined;
}

export type State =
  | PassState
  | SucceedState
  | FailState
  | WaitState
  | ChoiceState
  | TaskState
  | ParallelState
  | MapState;
export type RecoverableState = TaskState | ParallelState | MapState;

/** True for the states that Retry and Catch can be of. */
export function isRecoverable(state: State): state is RecoverableState {
  return state.type === 'Task' || state.type === 'Parallel' || state.type === 'Map';
}
