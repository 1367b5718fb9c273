import { randomUUID } from 'node:crypto';
import {
  compact,
  EvaluationFailure,
  isRecoverable,
  type Json,
  type JsonObject,
  type MapState,
  type RecoverableState,
  RuntimeFailure,
  type Scope,
  type State,
  StateFailure,
  type StateOutput,
} from '@millrace/states-language';
import type { Input } from '../../../core/access.ts';
import { AwsError } from '../../../core/aws-error.ts';
import type { Clock } from '../../../core/clock.ts';
import { machineArn, type Place } from '../arns.ts';
import { choose, failureOf } from '../engine/begin-state.ts';
import { isoTime } from '../engine/context.ts';
import type { ExecutionState, Thread } from '../engine/execution-state.ts';
import { newThread } from '../engine/execution-state.ts';
import { delayOf, matchesError } from '../engine/retry.ts';
import { TaskError, type TaskRunner } from '../execution/live-execution.ts';
import { readTestRequest, type TestRequest } from './test-request.ts';

export interface TestStateOptions extends Place {
  readonly clock: Clock;
  readonly tasks: TaskRunner;
}

/** What TestState answers. */
type Answer = Record<string, unknown>;

/** The name of a state that is tested without one. */
const UNNAMED = 'StateName';

/**
 * Runs one state, with a mock instead of what it calls or for real.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
 * @throws AwsError
 */
export async function testState(input: Input, options: TestStateOptions): Promise<Answer> {
  const request = readTestRequest(input);
  const test = new StateTest(request, options);
  const answer = await test.run();
  const isInspected = request.inspectionLevel !== 'INFO';
  return isInspected ? { ...answer, inspectionData: test.inspectionData } : answer;
}

class StateTest {
  readonly #request: TestRequest;
  readonly #options: TestStateOptions;
  readonly #scope: Scope;
  readonly inspectionData: Record<string, unknown>;

  constructor(request: TestRequest, options: TestStateOptions) {
    this.#request = request;
    this.#options = options;
    this.#scope = {
      input: request.input,
      context: request.context ?? contextOf(request, options),
      variables: request.variables,
      chance: { now: () => options.clock.now(), random: Math.random, uuid: randomUUID },
    };
    this.inspectionData = { input: JSON.stringify(request.input) };
    if (Object.keys(request.variables).length > 0) this.inspectionData.variables = JSON.stringify(request.variables);
  }

  async run(): Promise<Answer> {
    const { state } = this.#request;
    try {
      const { output, next } = await this.#runState(state);
      return compact({ status: 'SUCCEEDED', output: JSON.stringify(output.output), nextState: next });
    } catch (error) {
      const failure = failureFrom(error);
      return isRecoverable(state) ? this.#recover(state, failure) : failed(failure);
    }
  }

  readonly #inspect = (step: string, value: Json): void => {
    this.inspectionData[step] = JSON.stringify(value);
  };

  async #runState(state: State): Promise<{ output: StateOutput; next: string | undefined }> {
    const scope = this.#scope;
    const complete = async (result: Json) => ({
      output: await state.flow.complete(scope, result, this.#inspect),
      next: state.next,
    });
    switch (state.type) {
      case 'Fail':
        throw await failureOf(state, scope);
      case 'Choice': {
        await state.flow.prepare(scope, this.#inspect);
        return choose(state, scope);
      }
      case 'Wait': {
        const input = await state.flow.prepare(scope, this.#inspect);
        const until = await state.until({ ...scope, input });
        await this.#options.clock.sleep(Math.max(0, until - this.#options.clock.now()));
        return complete(input);
      }
      case 'Pass': {
        const prepared = await state.flow.prepare(scope, this.#inspect);
        if (state.result !== undefined) this.#inspect('result', state.result);
        return complete(state.result ?? prepared);
      }
      case 'Succeed':
        return complete(await state.flow.prepare(scope, this.#inspect));
      case 'Map':
        await this.#prepareMap(state);
        return complete(await this.#result(state, null));
      case 'Parallel':
        return complete(await this.#result(state, await state.flow.prepare(scope, this.#inspect)));
      default: {
        const result = await this.#result(state, await state.flow.prepare(scope, this.#inspect));
        this.#inspect('result', result);
        return complete(result);
      }
    }
  }

  /** The mock, or what the task really answers. */
  async #result(state: RecoverableState, parameters: Json): Promise<Json> {
    const { mock } = this.#request;
    if (mock && 'error' in mock) throw new StateFailure(mock.error, mock.cause);
    if (mock) return mock.result;
    if (state.type !== 'Task')
      throw new AwsError('InvalidDefinition', `A ${state.type} state can only be tested with a mock`);
    try {
      const execution = executionOf(this.#request, this.#options);
      const thread = threadOf(state.name, this.#request.input);
      const { resource } = state;
      return await this.#options.tasks.request({ execution, thread, attempt: 0, resource, parameters, token: null });
    } catch (error) {
      if (error instanceof TaskError) throw new StateFailure(error.error, error.message);
      throw error;
    }
  }

  async #prepareMap(state: MapState): Promise<void> {
    const input = await state.flow.prepare(this.#scope, this.#inspect);
    const scope = { ...this.#scope, input };
    const { readerData, failureCount } = this.#request;
    const items = readerData ?? (await state.items(scope));
    if (state.language === 'JSONPath' && readerData === undefined) this.#inspect('afterItemsPath', items);
    if (state.selector) {
      const selected: Json[] = [];
      for (const [Index, Value] of items.entries()) {
        const context = { ...scope.context, Map: { Item: { Index, Value } } };
        selected.push(await state.selector({ ...scope, context }));
      }
      this.#inspect('afterItemSelector', selected);
    }
    this.inspectionData.maxConcurrency = await state.maxConcurrency(scope);
    const tolerated = await state.toleratedCount?.(scope);
    const percentage = await state.toleratedPercentage?.(scope);
    if (tolerated !== undefined) this.inspectionData.toleratedFailureCount = tolerated;
    if (percentage !== undefined) this.inspectionData.toleratedFailurePercentage = percentage;
    const isExceeded =
      (tolerated !== undefined && failureCount > tolerated) ||
      (percentage !== undefined && failureCount * 100 > percentage * items.length);
    if (isExceeded) {
      throw new StateFailure(
        'States.ExceedToleratedFailureThreshold',
        'The specified tolerated failure threshold was exceeded',
      );
    }
  }

  async #recover(state: RecoverableState, failure: StateFailure): Promise<Answer> {
    const told = compact({ error: failure.error, cause: failure.reason });
    const retryIndex = state.retry.findIndex(({ errors }) => matchesError(errors, failure));
    const retrier = state.retry[retryIndex];
    const used = this.#request.retrierRetryCount;
    if (retrier && used < retrier.maxAttempts) {
      this.inspectionData.errorDetails = { retryIndex, retryBackoffIntervalSeconds: delayOf(retrier, used) };
      return { status: 'RETRIABLE', ...told };
    }
    const catchIndex = state.catch.findIndex(({ errors }) => matchesError(errors, failure));
    const catcher = state.catch[catchIndex];
    if (!catcher) return failed(failure);
    this.inspectionData.errorDetails = { catchIndex };
    try {
      const { output } = await catcher.complete(this.#scope, compact({ Error: failure.error, Cause: failure.reason }));
      return { status: 'CAUGHT_ERROR', ...told, output: JSON.stringify(output), nextState: catcher.next };
    } catch (error) {
      return failed(failureFrom(error));
    }
  }
}

function failed({ error, reason }: StateFailure): Answer {
  return { status: 'FAILED', ...compact({ error, cause: reason }) };
}

/** A state that is tested has entered at no event: AWS leaves the words in front of a cause out. */
function failureFrom(error: unknown): StateFailure {
  if (error instanceof StateFailure) return error;
  if (error instanceof EvaluationFailure || error instanceof RuntimeFailure)
    return new StateFailure(error.error, error.message);
  throw error;
}

/** The context object of a state that is in no execution. */
function contextOf({ state, input, roleArn }: TestRequest, { accountId, region, clock }: TestStateOptions): JsonObject {
  const name = randomUUID();
  const time = isoTime(clock.now());
  const entered: JsonObject = { Name: UNNAMED, EnteredTime: time };
  if (isRecoverable(state)) entered.RetryCount = 0;
  return {
    Execution: {
      Id: `arn:aws:states:${region}:${accountId}:express:${name}:${name}:${randomUUID()}`,
      // A state that calls nothing acts under no role.
      ...{ Input: input, StartTime: time, Name: name, RoleArn: isRecoverable(state) ? roleArn : null },
    },
    StateMachine: { Id: machineArn({ accountId, region }, name), Name: name },
    State: entered,
  };
}

/** An execution as the task runner needs it. */
function executionOf({ input, roleArn }: TestRequest, place: TestStateOptions): ExecutionState {
  const name = randomUUID();
  return {
    ...{
      arn: `arn:aws:states:${place.region}:${place.accountId}:express:test:${name}:${name}`,
      name,
      machineName: 'test',
    },
    ...{
      machineArn: machineArn(place, 'test'),
      roleArn: roleArn ?? '',
      type: 'EXPRESS',
      input,
      startedAt: place.clock.now(),
    },
    ...{ status: 'RUNNING', stoppedAt: null, output: undefined, error: undefined, cause: undefined, timeoutAt: null },
    ...{ nextEventId: 1, nextThreadId: 1, redriveCount: 0, redrivenAt: null, threads: new Map() },
  };
}

function threadOf(state: string, input: Json): Thread {
  return newThread({ id: 0, parent: null, index: 0, item: null, state, input, lastEventId: 0 });
}
