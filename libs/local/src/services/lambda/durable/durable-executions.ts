import { randomUUID } from 'node:crypto';
import { durableLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../../core/aws-error.ts';
import type { Host } from '../../../core/service.ts';
import type { InvocationResult } from '../function-pool.ts';
import type { Functions } from '../functions.ts';
import { invalidParameter, notFound, tooLarge, validationError } from '../lambda-errors.ts';
import type { LocalFunction } from '../local-function.ts';
import { checkExecutionArn, executionArn, parseCallbackId } from './arns.ts';
import { ChainedInvocations, type StartRequest } from './chained-invocations.ts';
import { requireQualifier, SYNCHRONOUS_SECONDS } from './durable-config.ts';
import type { DurableStore } from './durable-store.ts';
import type { Execution } from './execution-state.ts';
import { executionPayloadBytes, payloadOfError } from './invocation-outcome.ts';
import { callbackClosed, callbackNotFound, LiveExecution } from './live-execution.ts';
import type { Completion } from './operation-completions.ts';
import { announceStatus, reportStatus } from './status-reports.ts';

/** An execution that has been started, now or earlier. */
export interface StartedExecution {
  execution: Execution;
  ended: Promise<Execution>;
}

/** The durable executions of all functions. https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html */
export class DurableExecutions {
  readonly #store: DurableStore;
  readonly #functions: Functions;
  readonly #host: Host;
  readonly #live = new Map<string, LiveExecution>();
  readonly #chained: ChainedInvocations;
  /** By execution: the bus is told of one status after the other. */
  readonly #announcing = new Map<string, Promise<void>>();

  constructor(store: DurableStore, functions: Functions, host: Host) {
    this.#store = store;
    this.#functions = functions;
    this.#host = host;
    this.#chained = new ChainedInvocations({ functions, host, executions: this });
  }

  /** Goes on with the executions that an earlier process has left. */
  resume(): void {
    for (const execution of this.#store.unannounced()) this.#announce(execution);
    const left = this.#store.running().map((execution) => this.#open(execution, this.#store.operations(execution.arn)));
    // All of them, before one asks for another.
    for (const live of left) this.#live.set(live.execution.arn, live);
    for (const live of left) live.resume();
  }

  /** Stops what happens by itself, and waits for what is written of invocations that end. */
  async stop(): Promise<void> {
    this.#chained.stop();
    await Promise.all([...this.#live.values()].map((execution) => execution.stop()));
    await Promise.all(this.#announcing.values());
  }

  /**
   * Starts an execution. With the name and the payload of an earlier one, it is that one.
   * https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-idempotency.html
   *
   * @throws AwsError InvalidParameterValueException, DurableExecutionAlreadyStartedException, RequestTooLargeException
   */
  start(found: LocalFunction, request: StartRequest): StartedExecution {
    const { qualifier, payload, name = randomUUID(), id = randomUUID(), traceHeader, isAsynchronous, parent } = request;
    requireQualifier(qualifier);
    if (!NAME.test(name)) {
      throw validationError(
        name,
        'durableExecutionName',
        `Member must satisfy regular expression pattern: ${NAME.source}`,
      );
    }
    const limit = executionPayloadBytes(isAsynchronous);
    const size = Buffer.byteLength(payload);
    if (size > limit) throw tooLarge(size, isAsynchronous ? 'Event' : 'RequestResponse', limit);
    const { clock } = this.#host;
    this.#store.removeExpired(clock.now());
    const earlier = this.#store.findByName(found.name, name);
    if (earlier) {
      if (earlier.input === payload)
        return { execution: earlier, ended: this.#live.get(earlier.arn)?.ended ?? Promise.resolve(earlier) };
      const message = `A durable execution named ${name} has already been started with another payload: ${earlier.arn}`;
      throw new AwsError('DurableExecutionAlreadyStartedException', message, 409, { Type: 'User' });
    }
    const configuration = found.route(qualifier);
    if (!configuration.durable) throw new Error(`${found.name} is not a durable function`);
    const functionArn = `${found.arn}:${configuration.version}`;
    const execution: Execution = {
      arn: executionArn(functionArn, name, id),
      ...{ name, functionName: found.name, functionArn, version: configuration.version, config: configuration.durable },
      ...{ isAsynchronous, input: payload, traceHeader, startedAt: clock.now(), parent },
      ...{ status: 'RUNNING', events: 0, operations: 0, bytes: size, updated: [], isOwed: true },
    };
    const live = this.#open(execution, []);
    live.start();
    // Not before it is kept.
    this.#live.set(execution.arn, live);
    return { execution, ended: live.ended };
  }

  /**
   * Starts an execution and waits for its end.
   * @throws AwsError InvalidParameterValueException for one that may take longer than a caller waits
   */
  async run(
    found: LocalFunction,
    request: Omit<StartRequest, 'isAsynchronous'>,
  ): Promise<InvocationResult & { executedVersion: string }> {
    const timeout = found.version(request.qualifier).configuration.durable?.executionTimeoutSeconds ?? 0;
    if (timeout > SYNCHRONOUS_SECONDS) {
      const what =
        'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.';
      throw invalidParameter(what);
    }
    const { ended } = this.start(found, { ...request, isAsynchronous: false });
    const { arn, status, result, error = {}, version } = await ended;
    const hasSucceeded = status === 'SUCCEEDED';
    return {
      requestId: randomUUID(),
      payload: hasSucceeded ? (result ?? 'null') : payloadOfError(error),
      ...(!hasSucceeded && { functionError: 'Unhandled' as const }),
      executedVersion: version,
      durableExecutionArn: arn,
      logTail: '',
    };
  }

  /** @throws AwsError ResourceNotFoundException */
  find(arn: unknown): Execution {
    this.#store.removeExpired(this.#host.clock.now());
    const checked = checkExecutionArn(arn);
    const execution = this.#live.get(checked)?.execution ?? this.#store.find(checked);
    if (!execution) throw notFound(`Durable execution not found: ${checked}`);
    return execution;
  }

  /** As `find`; undefined when it is not there. */
  lookUp(arn: string): Execution | undefined {
    return this.#live.get(arn)?.execution ?? this.#store.find(arn);
  }

  /**
   * The execution that takes checkpoints.
   * @throws AwsError InvalidParameterValueException for one that has ended: its last token is spent
   */
  live(arn: unknown): LiveExecution {
    const live = this.#live.get(checkExecutionArn(arn));
    if (!live) throw invalidParameter('Invalid checkpoint token');
    return live;
  }

  /**
   * The execution that waits for a callback.
   * @throws AwsError InvalidParameterValueException, ResourceNotFoundException, CallbackTimeoutException
   */
  ofCallback(callbackId: string): LiveExecution {
    const execution = this.lookUp(parseCallbackId(callbackId).executionArn);
    if (!execution) throw callbackNotFound(callbackId);
    const live = this.#live.get(execution.arn);
    if (!live) throw callbackClosed();
    return live;
  }

  /** Stops an execution. One that has ended stays as it is. */
  end(arn: unknown, completion: Completion): Execution {
    const { arn: found } = this.find(arn);
    this.#live.get(found)?.finish(completion);
    return this.find(found);
  }

  /** Ends a chained invocation of an execution that may have ended itself. */
  completeChained({ arn, operationId }: NonNullable<Execution['parent']>, completion: Completion): void {
    this.#live.get(arn)?.completeChainedInvoke(operationId, completion);
  }

  get store(): DurableStore {
    return this.#store;
  }

  #open(execution: Execution, records: ReturnType<DurableStore['operations']>): LiveExecution {
    const { clock, warn } = this.#host;
    return new LiveExecution(execution, records, {
      ...{ store: this.#store, clock, warn },
      invoke: ({ functionName, version, traceHeader }, payload, requestId) => {
        const { found } = this.#functions.get(functionName);
        return found.invokeVersion(version, payload, { requestId, traceHeader });
      },
      target: (functionName, payload) => this.#chained.resolve(execution, functionName, payload),
      startChained: (parent, operationId, invocation) => this.#chained.start(parent, operationId, invocation),
      onStatus: (changed) => this.#changed(changed),
    });
  }

  #changed(execution: Execution): void {
    reportStatus(execution, this.#host);
    this.#announce(execution);
    if (execution.status === 'RUNNING') return;
    this.#live.delete(execution.arn);
    const { parent, status, result, error } = execution;
    if (parent) this.completeChained(parent, { status, result, error });
  }

  #announce(execution: Execution): void {
    const { arn, status } = execution;
    const snapshot = { ...execution };
    const { deliver, warn } = this.#host;
    const told = (this.#announcing.get(arn) ?? Promise.resolve())
      .then(() => announceStatus(snapshot, deliver))
      .then(() => this.#store.setAnnounced(arn, status))
      .catch((error: Error) => warn(`The default bus was not told that ${arn} is ${status}: ${error.message}`))
      .finally(() => {
        if (this.#announcing.get(arn) === told) this.#announcing.delete(arn);
      });
    this.#announcing.set(arn, told);
  }
}

const NAME = new RegExp(`^[a-zA-Z0-9-_]{1,${durableLimits.nameLength}}$`);
