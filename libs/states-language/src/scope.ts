import type { Json, JsonObject } from './json.ts';

/** What differs between two runs of the same expression. */
export interface Chance {
  /** Milliseconds since the epoch. */
  now(): number;
  /** At least 0 and below 1. */
  random(): number;
  uuid(): string;
}

/** What an expression can see. */
export interface Scope {
  /** `$` in JSONPath, `$states.input` in JSONata. */
  readonly input: Json;
  /** `$$` in JSONPath, `$states.context` in JSONata. */
  readonly context: JsonObject;
  /** Assigned by states before. */
  readonly variables: JsonObject;
  readonly result?: Json;
  readonly errorOutput?: Json;
  readonly chance: Chance;
}

/**
 * Computes a value.
 * @throws RuntimeFailure
 */
export type Evaluate<Value extends Json = Json> = (scope: Scope) => Value | Promise<Value>;
