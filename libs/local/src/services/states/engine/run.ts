import {
  type Chance,
  type CompiledDefinition,
  isRecoverable,
  type Json,
  type JsonObject,
  type Machine,
  type Scope,
  type State,
  type StateOutput,
} from '@millrace/states-language';
import { contextOf } from './context.ts';
import { type ExecutionState, executionQuotas, type HistoryEvent, type Thread } from './execution-state.ts';
import type { EventDraft } from './task-events.ts';

/** How far a state has come: it waits, its work has a result, or it has been left for another. */
export type Progress =
  | 'waits'
  | { readonly result: Json }
  | { readonly output: StateOutput; readonly next: string | undefined };

/** A task that is to be started once what has changed is recorded. */
export interface TaskStart {
  readonly thread: number;
  readonly attempt: number;
}

/** What has changed and is not recorded yet: it belongs together. */
export interface Changes {
  readonly events: readonly HistoryEvent[];
  readonly threads: readonly Thread[];
  /** Ids of threads that are over. */
  readonly removed: readonly number[];
  readonly starts: readonly TaskStart[];
}

/** The history of the execution is full. */
export class HistoryFull extends Error {}

/** An execution under way: its threads and its history, and what has changed of them. */
export class Run {
  readonly execution: ExecutionState;
  readonly definition: CompiledDefinition;
  readonly chance: Chance;
  readonly region: string;
  #events: HistoryEvent[] = [];
  #touched = new Set<Thread>();
  #removed = new Set<number>();
  #starts: TaskStart[] = [];

  constructor(execution: ExecutionState, definition: CompiledDefinition, chance: Chance) {
    this.execution = execution;
    this.definition = definition;
    this.chance = chance;
    this.region = execution.arn.split(':')[3] ?? '';
  }

  /**
   * Records what has changed.
   * @param record what this throws is thrown on, and the changes come again with the next ones
   * @returns undefined where nothing has changed
   */
  recordChanges(record: (changes: Changes) => void): Changes | undefined {
    const changes = {
      events: this.#events,
      threads: [...this.#touched],
      removed: [...this.#removed],
      starts: this.#starts,
    };
    if (changes.events.length === 0 && changes.threads.length === 0 && changes.removed.length === 0) return undefined;
    record(changes);
    this.#events = [];
    this.#touched = new Set();
    this.#removed = new Set();
    this.#starts = [];
    return changes;
  }

  add(thread: Thread): void {
    this.execution.threads.set(thread.id, thread);
    this.#touched.add(thread);
  }

  touch(thread: Thread): void {
    this.#touched.add(thread);
  }

  remove(thread: Thread): void {
    this.execution.threads.delete(thread.id);
    this.#touched.delete(thread);
    this.#removed.add(thread.id);
  }

  start(thread: Thread): void {
    this.#starts.push({ thread: thread.id, attempt: thread.attempt });
  }

  /**
   * Writes an event behind the last one of a thread.
   * @throws HistoryFull
   */
  emit(thread: Thread, [type, details = {}]: EventDraft): number {
    // The last place is left for the end of the execution.
    if (this.execution.nextEventId >= executionQuotas.events) throw new HistoryFull();
    thread.lastEventId = this.#write(thread.lastEventId, type, details);
    this.#touched.add(thread);
    return thread.lastEventId;
  }

  /** Writes an event of the execution itself. */
  emitOfExecution(type: string, details: JsonObject = {}, previousEventId = this.execution.nextEventId - 1): number {
    return this.#write(previousEventId, type, details);
  }

  #write(previousEventId: number, type: string, details: JsonObject): number {
    const id = this.execution.nextEventId;
    this.execution.nextEventId += 1;
    this.#events.push({ id, previousEventId, timestamp: this.chance.now(), type, details });
    return id;
  }

  parentOf({ parent }: Thread): Thread | undefined {
    return parent === null ? undefined : this.execution.threads.get(parent);
  }

  childrenOf({ id }: Thread): Thread[] {
    return [...this.execution.threads.values()].filter(({ parent }) => parent === id);
  }

  /** The states that a thread runs. */
  machineOf(thread: Thread): Machine {
    const parent = this.parentOf(thread);
    if (!parent) return this.definition;
    const state = this.stateOf(parent);
    const machine =
      state.type === 'Map' ? state.processor : state.type === 'Parallel' ? state.branches[thread.index] : undefined;
    if (!machine) throw new Error(`The thread ${thread.id} is part of no state of ${this.execution.arn}`);
    return machine;
  }

  stateOf(thread: Thread): State {
    const state = this.machineOf(thread).states.get(thread.state);
    if (!state) throw new Error(`There is no state ${thread.state} in the definition of ${this.execution.arn}`);
    return state;
  }

  /** What expressions of a thread's state can see. */
  scopeOf(thread: Thread, { input = thread.input, item }: { input?: Json; item?: Thread['item'] } = {}): Scope {
    const context = contextOf(this.execution, thread, {
      isRecoverable: isRecoverable(this.stateOf(thread)),
      item: item ?? this.#itemOf(thread),
      token: thread.task?.token ?? null,
    });
    return { input, context, variables: this.#variablesOf(thread), chance: this.chance };
  }

  #itemOf(thread: Thread): Thread['item'] {
    for (let one: Thread | undefined = thread; one; one = this.parentOf(one)) if (one.item) return one.item;
    return null;
  }

  #variablesOf(thread: Thread): JsonObject {
    const parent = this.parentOf(thread);
    return parent ? { ...this.#variablesOf(parent), ...thread.variables } : thread.variables;
  }
}
