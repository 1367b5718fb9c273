import { randomBytes, randomUUID } from 'node:crypto';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { AnswerDirect } from '../../core/http-message.ts';
import { FUNCTION_SECRET } from '../../core/identities.ts';
import type { FunctionLogLine } from '../../core/observations.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { FunctionRequests } from './function-requests.ts';
import type { OpenThread, Thread } from './threads.ts';
import type { FunctionError, InvokeMessage, WorkerData, WorkerMessage } from './worker/messages.ts';

/** What an invocation came to: the handler's answer as JSON, or the error that took its place. */
export type Outcome = { payload: string } | { error: FunctionError };

export interface ContainerOptions {
  log: (line: FunctionLogLine) => void;
  compileCacheDirectory: string;
  openThread: OpenThread;
  /** Answers what the function sends to AWS; it goes over HTTP without it. */
  answerDirect?: AnswerDirect | undefined;
  /** That entries of the init phase carry; one of their own unless given. */
  requestId?: string;
}

/** Lambda gives the init phase ten seconds, or the function's timeout where that is longer. */
const INIT_LIMIT_MS = 10_000;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function containerEnvironment(definition: FunctionDefinition, logStreamName: string): Record<string, string> {
  const region = definition.arn.split(':')[3] ?? 'us-east-1';
  return {
    PATH: process.env.PATH ?? '',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: definition.version,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupName(definition),
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // Where there are no credentials to look up, it tells who calls: see iam/local-identities.ts.
    AWS_ACCESS_KEY_ID: definition.name,
    AWS_SECRET_ACCESS_KEY: FUNCTION_SECRET,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    LAMBDA_TASK_ROOT: definition.codeDirectory,
    _HANDLER: definition.handler,
    ...definition.endpoints,
    ...definition.environment,
  };
}

function logGroupName(definition: FunctionDefinition): string {
  return `/aws/lambda/${definition.name}`;
}

/**
 * One execution environment of a function: a worker thread, or a part of one, that runs one invocation at a time. It ends by itself after an error that
 * ends a Lambda environment (exit, uncaught exception, heap overflow) and by `end()`; whatever happens, every invocation given to it
 * gets an outcome.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export class Container {
  readonly #definition: FunctionDefinition;
  readonly #log: (line: FunctionLogLine) => void;
  readonly #thread: Thread;
  readonly #exited: Promise<void>;
  readonly #requests: FunctionRequests | undefined;
  readonly #partial = { stdout: '', stderr: '' };
  #requestId: string;
  #settle: ((outcome: Outcome | 'ready') => void) | undefined;
  #failure: FunctionError | undefined;
  #alive = true;
  /** When the invocation began. */
  #loopTimes: EventLoopUtilization | undefined;
  #isReady = false;
  /** The thread was told to end, so that its end is not an event. */
  #discarded = false;

  constructor(definition: FunctionDefinition, options: ContainerOptions) {
    this.#definition = definition;
    this.#log = options.log;
    this.#requestId = options.requestId ?? randomUUID();
    const logStreamName = `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/[${definition.version}]${randomBytes(16).toString('hex')}`;
    const workerData: WorkerData = {
      functionName: definition.name,
      functionVersion: definition.version,
      handler: definition.handler,
      codeDirectory: definition.codeDirectory,
      memoryMb: definition.memoryMb,
      logGroupName: logGroupName(definition),
      logStreamName,
      awsUrl: options.answerDirect && definition.endpoints.AWS_ENDPOINT_URL,
    };
    this.#thread = options.openThread({
      definition,
      data: workerData,
      environment: containerEnvironment(definition, logStreamName),
      compileCacheDirectory: options.compileCacheDirectory,
    });
    this.#requests =
      options.answerDirect &&
      new FunctionRequests(definition.name, options.answerDirect, (message) => this.#thread.post(message));
    this.#thread.on('message', (message: WorkerMessage) => this.#receive(message));
    this.#thread.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= {
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${this.#requestId} Error: Runtime exited with error: ${
          error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'signal: killed (JavaScript heap out of memory)' : error.message
        }`,
      };
    });
    this.#exited = new Promise((resolve) => {
      this.#thread.on('exit', (code) => {
        this.#alive = false;
        this.#requests?.cancelAll();
        this.#flushOutput();
        const error = this.#failure ?? this.#exitError(code);
        if (error.errorType === 'Runtime.ExitError' && !this.#discarded) {
          this.#logLine('stderr', `${error.errorMessage}\n${error.errorType}`);
        }
        this.#settle?.({ error });
        resolve();
      });
    });
  }

  /** False once the thread has ended, or is about to. */
  get alive(): boolean {
    return this.#alive;
  }

  /** True if it has computed rather than waited since its invocation began. */
  get isComputing(): boolean {
    return performance.eventLoopUtilization(this.#thread.loopTimes(), this.#loopTimes).utilization > 0.5;
  }

  /** Waits for the end of the init phase. Returns the error that ended the container, if one did. */
  async initialised(): Promise<FunctionError | undefined> {
    const limit = Math.max(INIT_LIMIT_MS, this.#definition.timeoutSeconds * 1000);
    const outcome = await this.#outcome(
      limit,
      `Init timed out after ${(limit / 1000).toFixed(2)} seconds`,
      'undefined',
    );
    return typeof outcome === 'object' && 'error' in outcome ? outcome.error : undefined;
  }

  /** Runs one invocation. Never rejects; after an outcome that ended the container `alive` is false. */
  async invoke(invocation: Omit<InvokeMessage, 'deadline'>): Promise<Outcome> {
    const { requestId } = invocation;
    this.#requestId = requestId;
    const limit = this.#definition.timeoutSeconds * 1000;
    this.#loopTimes = this.#thread.loopTimes();
    this.#thread.post({
      type: 'invoke',
      ...invocation,
      deadline: Date.now() + limit,
    });
    const outcome = await this.#outcome(
      limit,
      `Task timed out after ${this.#definition.timeoutSeconds.toFixed(2)} seconds`,
      requestId,
    );
    return outcome === 'ready' ? { error: this.#exitError(0) } : outcome;
  }

  /** Ends the thread at once, whatever it does, and waits until it has ended. */
  async end(): Promise<void> {
    this.#alive = false;
    this.#discarded = true;
    this.#thread.terminate();
    await this.#exited;
  }

  #outcome(limitMs: number, timeoutMessage: string, loggedId: string): Promise<Outcome | 'ready'> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#failure = {
          errorType: 'Sandbox.Timedout',
          errorMessage: `RequestId: ${this.#requestId} Error: ${timeoutMessage}`,
        };
        this.#flushOutput();
        this.#logLine('stderr', `${new Date().toISOString()} ${loggedId} ${timeoutMessage}`);
        this.#alive = false;
        this.#thread.terminate();
      }, limitMs);
      this.#settle = (outcome) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(outcome);
      };
      if (!this.#alive) void this.#exited.then(() => this.#settle?.({ error: this.#failure ?? this.#exitError(1) }));
    });
  }

  #receive(message: WorkerMessage): void {
    switch (message.type) {
      case 'request':
        void this.#requests?.take(message.id, message.request);
        return;
      case 'cancel':
        this.#requests?.cancel(message.id);
        return;
      case 'output':
        this.#writeOutput(message.stream, message.text);
        return;
      case 'ready':
        this.#flushOutput();
        this.#isReady = true;
        this.#settle?.('ready');
        return;
      case 'failed':
        // The thread is on its way out: the outcome is given when it has ended, so that nobody gives it another invocation.
        this.#alive = false;
        this.#failure = message.error;
        this.#flushOutput();
        this.#logError(message.heading, message.error);
        return;
      case 'result':
        this.#flushOutput();
        if (message.requestId === this.#requestId) this.#settle?.({ payload: message.payload });
        return;
      case 'error':
        this.#flushOutput();
        this.#logError('Invoke Error', message.error);
        if (message.requestId === this.#requestId) this.#settle?.({ error: message.error });
    }
  }

  #exitError(code: number): FunctionError {
    const reason =
      code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`;
    return { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${this.#requestId} Error: ${reason}` };
  }

  #writeOutput(stream: 'stdout' | 'stderr', text: string): void {
    const lines = (this.#partial[stream] + text).split('\n');
    this.#partial[stream] = lines.pop() ?? '';
    for (const line of lines) this.#logLine(stream, line);
  }

  #flushOutput(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#partial[stream] !== '') this.#logLine(stream, this.#partial[stream]);
      this.#partial[stream] = '';
    }
  }

  /** As Lambda's Node.js runtime does in a log group: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
  #logError(heading: string, { errorType, errorMessage, trace }: FunctionError): void {
    const requestId = this.#isReady ? this.#requestId : 'undefined';
    const error = JSON.stringify({ errorType, errorMessage, stack: trace ?? [] });
    this.#logLine('stderr', [new Date().toISOString(), requestId, 'ERROR', `${heading} `, error].join('\t'));
  }

  #logLine(stream: 'stdout' | 'stderr', line: string): void {
    this.#log({ functionName: this.#definition.name, requestId: this.#requestId, stream, line, timestamp: Date.now() });
  }
}
