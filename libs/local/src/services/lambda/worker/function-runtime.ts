import { existsSync } from 'node:fs';
import { createRequire, flushCompileCache } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AwsPort } from './aws-port.ts';
import type { ContainerMessage, FunctionError, InvokeMessage, WorkerData, WorkerMessage } from './messages.ts';

type Handler = (event: unknown, context: unknown) => unknown;

class RuntimeError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

function functionError(thrown: unknown): FunctionError {
  try {
    if (thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]') {
      const { name, message, stack } = thrown as Error;
      return { errorType: String(name), errorMessage: String(message), trace: String(stack ?? '').split('\n') };
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  } catch {
    return { errorType: 'handled', errorMessage: 'The error thrown could not be turned into text', trace: [] };
  }
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  const require = createRequire(path);
  // Another function of a shared thread may have loaded it: this one gets a state of its own.
  delete require.cache[path];
  try {
    return require(path) as Record<string, unknown>;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    if (code === 'ERR_REQUIRE_ASYNC_MODULE') return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    if (code === 'MODULE_NOT_FOUND')
      throw new RuntimeError('Runtime.ImportModuleError', `Error: ${(error as Error).message}`);
    if (error instanceof SyntaxError)
      throw new RuntimeError('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`);
    throw error;
  }
}

async function loadHandler({ codeDirectory, handler }: WorkerData): Promise<Handler> {
  const [, file, exportPath] = /^([^.]*)\.(.+)$/.exec(basename(handler)) ?? [];
  if (file === undefined || exportPath === undefined || handler.includes('..')) {
    throw new RuntimeError('Runtime.MalformedHandlerName', `Bad handler: '${handler}', expected file.export`);
  }
  const stem = join(codeDirectory, dirname(handler), file);
  const path = ['.js', '.mjs', '.cjs'].map((extension) => stem + extension).find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new RuntimeError('Runtime.ImportModuleError', `Error: Cannot find module '${join(dirname(handler), file)}'`);
  }
  const found = exportPath
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], await importModule(path));
  if (found === undefined) {
    throw new RuntimeError('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  }
  if (typeof found !== 'function') {
    throw new RuntimeError('Runtime.HandlerNotFound', `${handler} is not a function`);
  }
  if (found.length >= 3) {
    throw new RuntimeError(
      'Runtime.CallbackHandlerDeprecated',
      `${handler} takes a callback, which Lambda does not support from Node.js 24 on: make it an async function`,
    );
  }
  return found as Handler;
}

function invocationContext(data: WorkerData, message: InvokeMessage): Record<string, unknown> {
  const { requestId, deadline, clientContext, invokedArn } = message;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: data.functionVersion,
    functionName: data.functionName,
    memoryLimitInMB: String(data.memoryMb),
    logGroupName: data.logGroupName,
    logStreamName: data.logStreamName,
    invokedFunctionArn: invokedArn,
    clientContext:
      clientContext === undefined ? undefined : JSON.parse(Buffer.from(clientContext, 'base64').toString('utf8')),
    // Of Cognito, which is not here.
    identity: undefined,
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

function serialise(result: unknown): string {
  try {
    return JSON.stringify(result) ?? 'null';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

/** One container inside its thread: loads the handler's module (the init phase), then answers one invocation after another. */
export class FunctionRuntime {
  readonly aws: AwsPort;
  readonly #data: WorkerData;
  readonly #post: (message: WorkerMessage) => void;
  readonly #exit: (code: number) => void;
  #handler: Handler | undefined;

  /**
   * @param post sends to the container
   * @param exit ends it
   */
  constructor(data: WorkerData, post: (message: WorkerMessage) => void, exit: (code: number) => void) {
    this.#data = data;
    this.#post = post;
    this.#exit = exit;
    this.aws = new AwsPort(post);
  }

  /** The init phase. */
  async load(): Promise<void> {
    try {
      this.#handler = await loadHandler(this.#data);
    } catch (error) {
      this.fail(functionError(error));
      return;
    }
    // The cache is written when a process ends, and a container is terminated instead.
    flushCompileCache();
    this.#post({ type: 'ready' });
  }

  receive(message: Exclude<ContainerMessage, { type: 'exit' }>): void {
    if (message.type === 'invoke') void this.#invoke(message);
    else this.aws.receive(message);
  }

  /** Takes a chunk of output. */
  write(stream: 'stdout' | 'stderr', text: string): void {
    this.#post({ type: 'output', stream, text });
  }

  /** An exception that was not caught ends the container. */
  uncaught(error: unknown): void {
    this.fail(functionError(error));
  }

  /** A promise that nobody waits for ends it as well. */
  unhandled(reason: unknown): void {
    const { errorMessage, trace } = functionError(reason);
    const prefix = reason instanceof Error ? `${reason.name}: ` : '';
    const error = {
      errorType: 'Runtime.UnhandledPromiseRejection',
      errorMessage: prefix + errorMessage,
      ...(trace ? { trace } : {}),
    };
    this.fail(error, 'Unhandled Promise Rejection');
  }

  fail(error: FunctionError, heading = 'Uncaught Exception'): void {
    this.#post({ type: 'failed', heading, error });
    this.#exit(1);
  }

  async #invoke(message: InvokeMessage): Promise<void> {
    const { requestId } = message;
    process.env._X_AMZN_TRACE_ID = message.traceId;
    try {
      const result = await this.#handler?.(JSON.parse(message.payload), invocationContext(this.#data, message));
      this.#post({ type: 'result', requestId, payload: serialise(result) });
    } catch (error) {
      this.#post({ type: 'error', requestId, error: functionError(error) });
    }
  }
}
