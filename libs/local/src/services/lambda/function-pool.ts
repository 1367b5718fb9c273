import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lambdaLimits } from '@millrace/events/aws-limits';
import type { FunctionLogLine } from '../../core/observations.ts';
import { Container, type ContainerOptions, type Outcome } from './container.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { tooLarge, tooManyRequests } from './lambda-errors.ts';
import { type OpenThread, ownThread } from './threads.ts';
import { traceIdFrom } from './trace-id.ts';
import type { FunctionError } from './worker/messages.ts';

export interface InvocationResult {
  requestId: string;
  /** JSON: the handler's answer, or `{ errorType, errorMessage, trace? }` when functionError is set. */
  payload: string;
  functionError?: 'Unhandled';
  /** The version that ran, where it may be another one than `$LATEST`. */
  executedVersion?: string;
  /** The execution of a durable function. */
  durableExecutionArn?: string;
  /** The last 4 KB of what the invocation wrote, framed as Lambda frames it. */
  logTail: string;
}

/** What goes with an event. */
export interface InvokeOptions {
  /** A new one unless given. */
  requestId?: string | undefined;
  /** X-Ray's, of whoever calls. */
  traceHeader?: string | undefined;
  /** JSON in base64. */
  clientContext?: string | undefined;
  /** As it was called, with a qualifier if it had one; the function's own unless given. */
  invokedArn?: string | undefined;
  /** Of a durable function. */
  durableExecutionName?: string | undefined;
  /** Gives the call up while it waits for a container; one that is running goes on, as at AWS. */
  signal?: AbortSignal | undefined;
}

export interface FunctionPoolOptions {
  log: (line: FunctionLogLine) => void;
  /** Where Node keeps compiled code, so that the next cold start need not compile it again; below the system's temporary folder unless given. */
  compileCacheDirectory?: string;
  /** Answers what the function sends to AWS; it goes over HTTP without it. */
  answerDirect?: ContainerOptions['answerDirect'];
  /** Where containers run: each in a thread of its own unless given. */
  openThread?: OpenThread;
  /** How long a container above the first stands idle before it is ended, in ms; 60,000 unless given. */
  idleMs?: number;
  /**
   * How long a call waits for a busy container before it gets one of its own, in ms; 0 unless given. A machine with few
   * cores answers sooner from one container that is warm than from two that both have to be started and compiled. Ten times as long
   * while the container computes: a second one would help where the first waits for something, and here take the cores from it.
   */
  scaleOutAfterMs?: number;
  /** Is told of each invocation when it has ended. */
  onInvocation?: ((invocation: EndedInvocation) => void) | undefined;
}

/** What a function's metrics are made of. */
export interface EndedInvocation {
  /** In ms, a cold start included. */
  durationMs: number;
  /** It ended with an error, a timeout or a crash. */
  failed: boolean;
  /** Invocations of the function that were under way when it ended, itself included. */
  concurrent: number;
}

export const PAYLOAD_LIMIT_BYTES = lambdaLimits.payloadBytes;
/** Of `scaleOutAfterMs`, while busy containers compute. */
const LONGEST_PATIENCE = 10;
const LOG_TAIL_BYTES = 4096;

interface IdleContainer {
  container: Container;
  since: number;
}

/**
 * The containers of one function: one per concurrent call, reused while warm.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
 */
export class FunctionPool {
  readonly definition: FunctionDefinition;
  readonly #options: FunctionPoolOptions;
  readonly #all = new Set<Container>();
  /** The last one used is taken first, so that the others can grow old and be ended. */
  readonly #idle: IdleContainer[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #whenIdle: (() => void)[] = [];
  readonly #reaper: NodeJS.Timeout;
  readonly #tails = new Map<string, string[]>();
  #taken = 0;
  #stopped = false;

  /** Takes the function's configuration; starts nothing yet. */
  constructor(definition: FunctionDefinition, options: FunctionPoolOptions) {
    this.definition = definition;
    this.#options = options;
    const idleMs = options.idleMs ?? 60_000;
    this.#reaper = setInterval(() => this.#endIdle(Date.now() - idleMs), Math.max(10, idleMs / 4));
    this.#reaper.unref();
  }

  /**
   * Runs the function once, as a synchronous Invoke does: waits for a free container, first come first served, and answers when the
   * handler has. Whatever the function does is an answer: an error, a timeout or a crash has `functionError` set.
   *
   * @param payload the event as JSON
   * @throws AwsError RequestTooLargeException for an event above 6 MB; TooManyRequestsException when the pool has been stopped, or the
   *   call was given up before it had a container
   */
  async invoke(payload: string, options: InvokeOptions = {}): Promise<InvocationResult> {
    const size = Buffer.byteLength(payload);
    if (size > PAYLOAD_LIMIT_BYTES) throw tooLarge(size, 'RequestResponse', PAYLOAD_LIMIT_BYTES);
    const requestId = options.requestId ?? randomUUID();
    await this.#take(options.signal);
    if (this.#stopped) throw tooManyRequests('ConcurrentInvocationLimitExceeded');
    const tail: string[] = [];
    this.#tails.set(requestId, tail);
    const started = performance.now();
    try {
      const outcome = this.#limitResponse(requestId, await this.#run(requestId, payload, options));
      const duration = performance.now() - started;
      const failed = 'error' in outcome;
      this.#options.onInvocation?.({ durationMs: duration, failed, concurrent: this.#taken });
      return {
        requestId,
        payload: failed ? JSON.stringify(outcome.error) : outcome.payload,
        ...(failed ? { functionError: 'Unhandled' as const } : {}),
        logTail: this.#frame(requestId, tail, duration),
      };
    } finally {
      this.#tails.delete(requestId);
      this.#release();
    }
  }

  /**
   * Starts one container ahead, unless there is one: loads the module, which is the init phase.
   *
   * @returns why the function cannot start, if it cannot; its first call tries again
   */
  async warm(): Promise<FunctionError | undefined> {
    await this.#take();
    try {
      if (this.#all.size > 0 || this.#stopped) return undefined;
      const container = this.#start();
      const error = await container.initialised();
      if (error === undefined) this.#keep(container);
      else await this.#discard(container);
      return this.#stopped ? undefined : error;
    } finally {
      this.#release();
    }
  }

  /** Waits for the calls under way, then ends every container. */
  async retire(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    await this.stop();
  }

  /** Ends every container at once; calls under way are answered with an error, calls waiting are refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#reaper);
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all([...this.#all].map((container) => this.#discard(container)));
  }

  async #run(requestId: string, payload: string, options: InvokeOptions): Promise<Outcome> {
    let container = this.#takeIdle();
    if (!container) {
      container = this.#start({ requestId });
      const error = await container.initialised();
      if (error) {
        await this.#discard(container);
        return { error };
      }
    }
    const outcome = await container.invoke({
      requestId,
      payload,
      traceId: traceIdFrom(options.traceHeader),
      clientContext: options.clientContext,
      invokedArn: options.invokedArn ?? this.definition.arn,
    });
    if (container.alive && !this.#stopped) this.#keep(container);
    else await this.#discard(container);
    return outcome;
  }

  async #take(signal?: AbortSignal): Promise<void> {
    const patience = this.#taken === 0 ? 0 : (this.#options.scaleOutAfterMs ?? 0);
    if (this.#stopped || (this.#taken < this.definition.concurrency && patience === 0)) {
      this.#taken += 1;
      return;
    }
    // The releasing call hands its place on without freeing it, so nobody can overtake the one that has waited longest.
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isWaiting = (): boolean => this.#waiting.includes(resolve);
    const leave = (): unknown => this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
    this.#waiting.push(resolve);
    let timer: NodeJS.Timeout;
    const lookAgain = (waited: number): void => {
      if (!isWaiting() || this.#taken >= this.definition.concurrency) return;
      if (waited < patience * LONGEST_PATIENCE && this.#isComputing()) {
        timer = setTimeout(lookAgain, patience, waited + patience);
        return;
      }
      leave();
      this.#taken += 1;
      resolve();
    };
    timer = setTimeout(lookAgain, patience, patience);
    const giveUp = (): void => {
      if (!isWaiting()) return;
      leave();
      reject(tooManyRequests('ConcurrentInvocationLimitExceeded'));
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** True if all that are busy compute. */
  #isComputing(): boolean {
    const idle = new Set(this.#idle.map(({ container }) => container));
    return [...this.#all].every((container) => idle.has(container) || container.isComputing);
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) {
      next();
      return;
    }
    this.#taken -= 1;
    if (this.#taken === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #start(options: Pick<ContainerOptions, 'requestId'> = {}): Container {
    const container = new Container(this.definition, {
      ...options,
      answerDirect: this.#options.answerDirect,
      openThread: this.#options.openThread ?? ownThread,
      compileCacheDirectory: this.#options.compileCacheDirectory ?? join(tmpdir(), 'millrace-compile-cache'),
      log: (line) => this.#log(line),
    });
    this.#all.add(container);
    return container;
  }

  #takeIdle(): Container | undefined {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.container.alive) return idle.container;
      void this.#discard(idle.container);
    }
    return undefined;
  }

  #keep(container: Container): void {
    this.#idle.push({ container, since: Date.now() });
  }

  async #discard(container: Container): Promise<void> {
    this.#all.delete(container);
    await container.end();
  }

  #endIdle(before: number): void {
    while (this.#all.size > 1 && this.#idle[0] && this.#idle[0].since < before) {
      const oldest = this.#idle.shift();
      if (oldest) void this.#discard(oldest.container);
    }
  }

  #limitResponse(requestId: string, outcome: Outcome): Outcome {
    if ('error' in outcome || Buffer.byteLength(outcome.payload) <= PAYLOAD_LIMIT_BYTES) return outcome;
    const errorMessage = `Response payload size exceeded maximum allowed payload size (${PAYLOAD_LIMIT_BYTES} bytes).`;
    this.#log({
      functionName: this.definition.name,
      requestId,
      stream: 'stderr',
      line: `LAMBDA_RUNTIME Failed to post handler success response. Http response code: 413. ${errorMessage}`,
      timestamp: Date.now(),
    });
    return { error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } };
  }

  #log(line: FunctionLogLine): void {
    this.#tails.get(line.requestId)?.push(line.line);
    this.#options.log(line);
  }

  #frame(requestId: string, lines: string[], durationMs: number): string {
    const text = [
      `START RequestId: ${requestId} Version: ${this.definition.version}`,
      ...lines,
      `END RequestId: ${requestId}`,
      `REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tMemory Size: ${this.definition.memoryMb} MB`,
      '',
    ].join('\n');
    return Buffer.from(text).subarray(-LOG_TAIL_BYTES).toString('utf8');
  }
}
