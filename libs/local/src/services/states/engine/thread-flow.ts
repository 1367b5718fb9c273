import {
  compact,
  EvaluationFailure,
  errorNames,
  isRecoverable,
  type Json,
  type RecoverableState,
  RuntimeFailure,
  StateFailure,
  type StateOutput,
} from '@millrace/states-language';
import { beginState } from './begin-state.ts';
import { type ExecutionState, executionQuotas, type TaskOutcome, type Thread } from './execution-state.ts';
import { findRetry, matchesError } from './retry.ts';
import { HistoryFull, type Run } from './run.ts';
import { payload, type TaskEvents, taskEvents } from './task-events.ts';

/** Moves the threads of a run from state to state, and what fails in them to retriers and catchers. */
export class ThreadFlow {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Enters the state of a thread, or goes on in it, until it waits, leaves or fails. */
  async goOn(thread: Thread): Promise<void> {
    await this.guard(thread, async () => {
      if (thread.phase === 'entering') this.#enter(thread);
      const progress = await beginState(this.#run, thread);
      if (progress === 'waits') return;
      if ('result' in progress) await this.complete(thread, progress.result);
      else this.#leave(thread, progress.output, progress.next);
    });
  }

  /**
   * Runs a part of a thread. What fails in it goes to the state's retriers and catchers.
   * @throws anything that is a fault of the interpreter
   */
  async guard(thread: Thread, act: () => Promise<void>): Promise<void> {
    try {
      try {
        await act();
      } catch (error) {
        await this.#fail(thread, this.#failureOf(thread, error));
      }
    } catch (error) {
      if (!(error instanceof HistoryFull)) throw error;
      const cause = `The execution reached the maximum number of history events (${executionQuotas.events}).`;
      this.#failExecution(thread, new StateFailure(errorNames.runtime, cause));
    }
  }

  /** Makes the output of a state whose work is done. */
  async complete(thread: Thread, result: Json): Promise<void> {
    const state = this.#run.stateOf(thread);
    const scope = this.#run.scopeOf(thread);
    // A Wait state passes its effective input on.
    const passed = state.type === 'Wait' ? await state.flow.prepare(scope) : result;
    this.#leave(thread, await state.flow.complete(scope, passed), state.next);
  }

  /** Ends the task of a thread. */
  async finish(thread: Thread, outcome: TaskOutcome): Promise<void> {
    const events = this.eventsOf(thread);
    if (!('output' in outcome)) {
      this.#run.emit(thread, events.failed(outcome));
      throw new StateFailure(outcome.error, outcome.cause);
    }
    const state = this.#run.stateOf(thread);
    if (state.type === 'Task' && isTooLarge(JSON.stringify(outcome.output))) {
      const { resource } = state;
      const failure = tooLarge(resource.kind === 'integration' ? resource.resourceType : resource.arn);
      this.#run.emit(thread, events.failed({ error: failure.error, cause: failure.reason }));
      throw failure;
    }
    this.#run.emit(thread, events.succeeded(outcome.output));
    await this.complete(thread, outcome.output);
  }

  /** The events of a thread's task. */
  eventsOf(thread: Thread): TaskEvents {
    const state = this.#run.stateOf(thread);
    if (state.type !== 'Task') throw new Error(`${state.name} is not a task`);
    return taskEvents(state.resource);
  }

  end(status: ExecutionState['status'], error: string | undefined, cause: string | undefined): void {
    Object.assign(this.#run.execution, { status, error, cause, stoppedAt: this.#run.chance.now() });
  }

  #enter(thread: Thread): void {
    const { type } = this.#run.stateOf(thread);
    thread.enteredAt = this.#run.chance.now();
    thread.retryCount = 0;
    thread.retries = [];
    const details = { name: thread.state, ...payload('input', JSON.stringify(thread.input)) };
    thread.enteredEventId = this.#run.emit(thread, [`${type}StateEntered`, { stateEnteredEventDetails: details }]);
    thread.phase = 'starting';
  }

  /** Goes to the next state, or ends the thread. */
  #leave(thread: Thread, { output, assigned }: StateOutput, next: string | undefined): void {
    const { type } = this.#run.stateOf(thread);
    const text = JSON.stringify(output);
    if (isTooLarge(text)) throw tooLarge(thread.state);
    const details = { name: thread.state, ...payload('output', text) };
    if (Object.keys(assigned).length > 0) {
      const texts = Object.entries(assigned).map(([name, value]) => [name, JSON.stringify(value)]);
      const variables = {
        assignedVariables: Object.fromEntries(texts),
        assignedVariablesDetails: { truncated: false },
      };
      Object.assign(details, variables);
      thread.variables = { ...thread.variables, ...assigned };
    }
    this.#run.emit(thread, [`${type}StateExited`, { stateExitedEventDetails: details }]);
    Object.assign(thread, { task: null, join: null, wakeAt: null });
    thread.attempt += 1;
    if (next !== undefined) Object.assign(thread, { state: next, input: output, phase: 'entering' });
    else this.#endThread(thread, output);
  }

  #endThread(thread: Thread, output: Json): void {
    const parent = this.#run.parentOf(thread);
    if (!parent) {
      thread.phase = 'ended';
      this.end('SUCCEEDED', undefined, undefined);
      this.#run.execution.output = output;
      const details = payload('output', JSON.stringify(output));
      this.#run.emitOfExecution('ExecutionSucceeded', { executionSucceededEventDetails: details }, thread.lastEventId);
      return;
    }
    this.#run.remove(thread);
    const { join } = parent;
    if (!join) return;
    join.results[thread.index] = output;
    join.ended += 1;
    parent.lastEventId = thread.lastEventId;
    this.#run.touch(parent);
    if (join.map) this.#emitIteration(parent, thread, 'Succeeded');
    // The parent goes on in its own turn: what fails there is its own failure.
    if (join.ended === join.results.length || join.map) parent.phase = 'starting';
  }

  #failureOf(thread: Thread, error: unknown): StateFailure {
    if (error instanceof StateFailure) return error;
    if (!(error instanceof RuntimeFailure)) throw error;
    const cause = `An error occurred while executing the state '${thread.state}' (entered at the event id #${thread.enteredEventId}). ${error.message}`;
    if (error instanceof EvaluationFailure) {
      const details = compact({ error: error.error, cause, location: error.location, state: thread.state });
      this.#run.emit(thread, ['EvaluationFailed', { evaluationFailedEventDetails: details }]);
    }
    return new StateFailure(error.error, cause);
  }

  async #fail(thread: Thread, failure: StateFailure): Promise<void> {
    const state = this.#run.stateOf(thread);
    thread.task = null;
    thread.attempt += 1;
    this.#run.touch(thread);
    if (!isRecoverable(state)) {
      await this.#giveUp(thread, failure);
      return;
    }
    if (this.#retry(thread, state, failure)) return;
    // A Parallel or Map state whose own fields do not fit the data has not run, and so has not failed.
    const hasRun = failure.error !== errorNames.runtime || thread.join !== null;
    if (state.type !== 'Task' && hasRun) this.#run.emit(thread, [`${state.type}StateFailed`]);
    await this.#catch(thread, state, failure);
  }

  #retry(thread: Thread, state: RecoverableState, failure: StateFailure): boolean {
    const retry = findRetry(state.retry, failure, thread.retries, () => this.#run.chance.random());
    if (!retry) return false;
    this.#removeChildren(thread);
    thread.retries[retry.index] = (thread.retries[retry.index] ?? 0) + 1;
    thread.retryCount += 1;
    const wakeAt = this.#run.chance.now() + retry.delaySeconds * 1000;
    Object.assign(thread, { phase: 'retrying', wakeAt, join: null });
    return true;
  }

  async #catch(thread: Thread, state: RecoverableState, failure: StateFailure): Promise<void> {
    const catcher = state.catch.find(({ errors }) => matchesError(errors, failure));
    if (!catcher) {
      await this.#giveUp(thread, failure);
      return;
    }
    try {
      const errorOutput = compact({ Error: failure.error, Cause: failure.reason });
      const output = await catcher.complete(this.#run.scopeOf(thread), errorOutput);
      this.#removeChildren(thread);
      this.#leave(thread, output, catcher.next);
    } catch (error) {
      if (error instanceof HistoryFull) throw error;
      // The state's other catchers are not asked about it.
      await this.#giveUp(thread, this.#failureOf(thread, error));
    }
  }

  /** Fails whatever the thread is part of. */
  async #giveUp(thread: Thread, failure: StateFailure): Promise<void> {
    thread.phase = 'failed';
    const parent = this.#run.parentOf(thread);
    if (!parent) {
      this.#failExecution(thread, failure);
      return;
    }
    parent.lastEventId = thread.lastEventId;
    if (parent.join?.map) this.#emitIteration(parent, thread, 'Failed');
    this.#abortChildren(parent);
    await this.guard(parent, async () => {
      throw failure;
    });
  }

  #failExecution(thread: Thread, { error, reason }: StateFailure): void {
    this.end('FAILED', error, reason);
    const details = compact({ error, cause: reason });
    this.#run.emitOfExecution('ExecutionFailed', { executionFailedEventDetails: details }, thread.lastEventId);
  }

  /** Ends what runs beside a branch or iteration that has failed. */
  #abortChildren(parent: Thread): void {
    for (const child of this.#run.childrenOf(parent)) {
      if (child.phase === 'failed') continue;
      this.#abortChildren(child);
      const state = this.#run.stateOf(child);
      const isUnderWay = child.phase !== 'entering' && (isRecoverable(state) || state.type === 'Wait');
      child.lastEventId = parent.lastEventId;
      if (isUnderWay) this.#run.emit(child, [`${state.type}StateAborted`]);
      Object.assign(child, { phase: 'aborted', task: null, wakeAt: null });
      child.attempt += 1;
      this.#run.touch(child);
      parent.lastEventId = child.lastEventId;
      if (parent.join?.map) this.#emitIteration(parent, child, 'Aborted');
    }
  }

  #removeChildren(parent: Thread): void {
    for (const child of this.#run.childrenOf(parent)) {
      this.#removeChildren(child);
      this.#run.remove(child);
    }
  }

  #emitIteration(parent: Thread, { index }: Thread, what: 'Succeeded' | 'Failed' | 'Aborted'): void {
    this.#run.emit(parent, [
      `MapIteration${what}`,
      { [`mapIteration${what}EventDetails`]: { name: parent.state, index } },
    ]);
  }
}

function isTooLarge(text: string): boolean {
  // A character has three bytes at most in UTF-8, by its length in UTF-16.
  return text.length * 3 > executionQuotas.payloadBytes && Buffer.byteLength(text) > executionQuotas.payloadBytes;
}

function tooLarge(name: string): StateFailure {
  return new StateFailure(
    errorNames.dataLimit,
    `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
}
