/**
 * What runs inside a container: loads the handler's module (the init phase), then answers one invocation after another, as Lambda's
 * Node.js runtime does.
 *
 * On AWS a container is frozen between invocations; here its timers and open connections go on, which only a function that leaves
 * work behind after answering can notice.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
import { existsSync } from 'node:fs';
import { createRequire, flushCompileCache } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { AwsPort } from './aws-port.ts';
import { leadThroughPort } from './intercept.ts';
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

function sendOutputTo(post: (message: WorkerMessage) => void): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    // A worker's own streams reach the parent out of step with its messages; through the port, output stays before the answer.
    process[stream].write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      post({ type: 'output', stream, text });
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') queueMicrotask(() => callback());
      return true;
    };
  }
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  const require = createRequire(path);
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

async function run(data: WorkerData): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error('worker.ts runs in a worker thread');
  const post = (message: WorkerMessage) => port.postMessage(message);
  sendOutputTo(post);

  const end = (error: FunctionError, heading = 'Uncaught Exception'): void => {
    post({ type: 'failed', heading, error });
    process.exit(1);
  };
  process.on('uncaughtException', (error) => end(functionError(error)));
  process.on('unhandledRejection', (reason) => {
    const { errorMessage, trace } = functionError(reason);
    const prefix = reason instanceof Error ? `${reason.name}: ` : '';
    const error = {
      errorType: 'Runtime.UnhandledPromiseRejection',
      errorMessage: prefix + errorMessage,
      ...(trace ? { trace } : {}),
    };
    end(error, 'Unhandled Promise Rejection');
  });

  const aws = new AwsPort(post);
  if (data.awsUrl !== undefined) leadThroughPort(data.awsUrl, aws);
  const invoke = async (message: InvokeMessage): Promise<void> => {
    process.env._X_AMZN_TRACE_ID = message.traceId;
    try {
      const result = await handler(JSON.parse(message.payload), invocationContext(data, message));
      post({ type: 'result', requestId: message.requestId, payload: serialise(result) });
    } catch (error) {
      post({ type: 'error', requestId: message.requestId, error: functionError(error) });
    }
  };
  // From the start: a module may send requests while it is loaded.
  port.on('message', (message: ContainerMessage) => {
    if (message.type === 'invoke') void invoke(message);
    else aws.receive(message);
  });

  delete process.env.NODE_COMPILE_CACHE;
  let handler: Handler;
  try {
    handler = await loadHandler(data);
  } catch (error) {
    end(functionError(error));
    return;
  }
  // The cache is written when a process ends, and a container is terminated instead.
  flushCompileCache();
  post({ type: 'ready' });
}

await run(workerData as WorkerData);
