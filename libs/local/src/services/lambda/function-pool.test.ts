import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FunctionLogLine } from '../../core/observations.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { FunctionPool, PAYLOAD_LIMIT_BYTES } from './function-pool.ts';

const HANDLERS: Record<string, string> = {
  echo: `exports.handler = async (event) => event;`,
  counter: `let calls = 0; exports.handler = async () => ++calls;`,
  environment: `exports.handler = async () => process.env;`,
  context: `exports.handler = async (event, context) => ({ ...context, remaining: context.getRemainingTimeInMillis() });`,
  throws: `exports.handler = async () => { throw new RangeError('too many'); };`,
  throwsText: `exports.handler = async () => { throw 'just text'; };`,
  sync: `exports.handler = () => { throw new TypeError('sync'); };`,
  nothing: `exports.handler = async () => {};`,
  bigint: `exports.handler = async () => ({ count: 1n });`,
  huge: `exports.handler = async () => 'x'.repeat(${PAYLOAD_LIMIT_BYTES});`,
  exits: `exports.handler = async (event) => { if (event.exit !== undefined) process.exit(event.exit); return 'alive'; };`,
  sleeps: `exports.handler = (event) => console.log('asleep') ?? new Promise((resolve) => setTimeout(() => resolve('awake'), event.ms));`,
  computes: `let calls = 0; exports.handler = async ({ ms }) => { calls += 1; for (const end = Date.now() + ms; Date.now() < end; ); return calls; };`,
  spins: `exports.handler = async () => { for (;;) {} };`,
  hoards: `exports.handler = async () => { const all = []; for (;;) all.push(new Array(10000).fill({})); };`,
  rejectsLater: `exports.handler = () => new Promise(() => { Promise.reject(new Error('nobody waits')); });`,
  throwsLater: `exports.handler = () => new Promise(() => { setTimeout(() => { throw new EvalError('late'); }, 1); });`,
  writes: `exports.handler = async (event) => { console.log('hello', event.name); console.error('oh'); process.stdout.write('no newline'); };`,
  callback: `exports.handler = (event, context, callback) => callback(null, 1);`,
  notFunction: `exports.handler = 42;`,
  noExport: `exports.other = async () => 1;`,
  syntax: `exports.handler = async () => {`,
  missing: `require('./does-not-exist.cjs'); exports.handler = async () => 1;`,
  limits: `exports.handler = async () => require('node:worker_threads').resourceLimits;`,
  throwsAtLoad: `throw new Error('no table name');`,
};

let codeDirectory: string;
const pools: FunctionPool[] = [];

beforeAll(() => {
  codeDirectory = mkdtempSync(join(tmpdir(), 'function-pool-'));
  mkdirSync(join(codeDirectory, 'src/handlers'), { recursive: true });
  for (const [name, code] of Object.entries(HANDLERS))
    writeFileSync(join(codeDirectory, `src/handlers/${name}.cjs`), code);
});

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.stop()));
  rmSync(codeDirectory, { recursive: true });
});

function poolOf(
  handler: string,
  changes: Partial<FunctionDefinition> = {},
  log: (line: FunctionLogLine) => void = () => undefined,
  idleMs = 60_000,
  scaleOutAfterMs = 0,
) {
  const pool = new FunctionPool(
    {
      name: 'shop-dev-put-stock',
      arn: 'arn:aws:lambda:eu-west-1:000000000000:function:shop-dev-put-stock',
      handler: `src/handlers/${handler}.handler`,
      codeDirectory,
      timeoutSeconds: 5,
      memoryMb: 128,
      version: '$LATEST',
      endpoints: {},
      environment: {},
      concurrency: 4,
      ...changes,
    },
    { log, idleMs, scaleOutAfterMs },
  );
  pools.push(pool);
  return pool;
}

async function call(pool: FunctionPool, event: unknown = {}) {
  const result = await pool.invoke(JSON.stringify(event));
  return { ...result, answer: JSON.parse(result.payload) };
}

describe('an answer', () => {
  test('is what the handler returned', async () => {
    expect((await call(poolOf('echo'), { a: [1, 'ü'] })).answer).toEqual({ a: [1, 'ü'] });
  });

  test('is null when the handler returns nothing', async () => {
    expect((await poolOf('nothing').invoke('{}')).payload).toBe('null');
  });

  test('above 6 MB is an error', async () => {
    const { answer, functionError } = await call(poolOf('huge'));
    expect(functionError).toBe('Unhandled');
    expect(answer.errorType).toBe('Function.ResponseSizeTooLarge');
  });

  test('an event above 6 MB is refused', async () => {
    await expect(poolOf('echo').invoke(JSON.stringify('x'.repeat(PAYLOAD_LIMIT_BYTES)))).rejects.toMatchObject({
      code: 'RequestTooLargeException',
      status: 413,
    });
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
describe('the handler sees', () => {
  test('its own environment and nothing of this process', async () => {
    process.env.MILLRACE_SECRET_OF_THE_PARENT = 'x';
    const { answer } = await call(poolOf('environment', { environment: { TABLE: 'stock' } }));
    expect(answer).toMatchObject({
      TABLE: 'stock',
      AWS_LAMBDA_FUNCTION_NAME: 'shop-dev-put-stock',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_REGION: 'eu-west-1',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      LAMBDA_TASK_ROOT: codeDirectory,
      _HANDLER: 'src/handlers/environment.handler',
      AWS_ACCESS_KEY_ID: 'shop-dev-put-stock',
    });
    expect(answer).not.toHaveProperty('MILLRACE_SECRET_OF_THE_PARENT');
    expect(answer).not.toHaveProperty('HOME');
  });

  test("Lambda's context", async () => {
    const { answer, requestId } = await call(poolOf('context'));
    expect(answer).toMatchObject({
      awsRequestId: requestId,
      functionName: 'shop-dev-put-stock',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:eu-west-1:000000000000:function:shop-dev-put-stock',
      memoryLimitInMB: '128',
      logGroupName: '/aws/lambda/shop-dev-put-stock',
      callbackWaitsForEmptyEventLoop: true,
    });
    expect(answer.remaining).toBeGreaterThan(3000);
    expect(answer.remaining).toBeLessThanOrEqual(5000);
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
describe('an error', () => {
  test.each([
    ['throws', 'RangeError', 'too many'],
    ['sync', 'TypeError', 'sync'],
    ['throwsText', 'string', 'just text'],
    ['bigint', 'Error', 'Unable to stringify response body'],
    ['rejectsLater', 'Runtime.UnhandledPromiseRejection', 'Error: nobody waits'],
    ['throwsLater', 'EvalError', 'late'],
    ['noExport', 'Runtime.HandlerNotFound', 'src/handlers/noExport.handler is undefined or not exported'],
    ['notFunction', 'Runtime.HandlerNotFound', 'src/handlers/notFunction.handler is not a function'],
    ['throwsAtLoad', 'Error', 'no table name'],
    ['nowhere', 'Runtime.ImportModuleError', "Error: Cannot find module 'src/handlers/nowhere'"],
  ])('of %s is answered as %s', async (handler, errorType, errorMessage) => {
    const { functionError, answer } = await call(poolOf(handler));
    expect({ functionError, ...answer }).toMatchObject({ functionError: 'Unhandled', errorType, errorMessage });
  });

  test.each([
    ['missing', 'Runtime.ImportModuleError', /Cannot find module '.\/does-not-exist.cjs'/],
    ['syntax', 'Runtime.UserCodeSyntaxError', /^SyntaxError: /],
    ['callback', 'Runtime.CallbackHandlerDeprecated', /takes a callback/],
  ])('of %s, found when loading, is answered as %s', async (handler, errorType, message) => {
    const { answer } = await call(poolOf(handler));
    expect(answer.errorType).toBe(errorType);
    expect(answer.errorMessage).toMatch(message);
  });

  test('carries its stack', async () => {
    const { answer } = await call(poolOf('throws'));
    expect(answer.trace[0]).toBe('RangeError: too many');
    expect(answer.trace[1]).toContain('throws.cjs');
  });
});

describe('a container', () => {
  test('is reused while warm', async () => {
    const pool = poolOf('counter');
    const answers = [await call(pool), await call(pool), await call(pool)].map(({ answer }) => answer);
    expect(answers).toEqual([1, 2, 3]);
  });

  test('is started ahead by warm()', async () => {
    const lines: FunctionLogLine[] = [];
    writeFileSync(
      join(codeDirectory, 'src/handlers/loud.cjs'),
      `console.log('loaded'); exports.handler = async () => 1;`,
    );
    const pool = poolOf('loud', {}, (line) => lines.push(line));
    await pool.warm();
    expect(lines.map(({ line }) => line)).toEqual(['loaded']);
    await call(pool);
    expect(lines).toHaveLength(1);
  });

  test('runs one call at a time, up to the concurrency, and the others wait in order', async () => {
    const pool = poolOf('counter', { concurrency: 1 });
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3, 4, 5].map(async () => {
        order.push((await call(pool)).answer);
      }),
    );
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });

  test('calls at once run side by side in containers of their own', async () => {
    const pool = poolOf('sleeps', { concurrency: 3, timeoutSeconds: 5 });
    await Promise.all([call(pool, { ms: 1 }), call(pool, { ms: 1 }), call(pool, { ms: 1 })]);
    const started = performance.now();
    await Promise.all([call(pool, { ms: 400 }), call(pool, { ms: 400 }), call(pool, { ms: 400 })]);
    expect(performance.now() - started).toBeLessThan(800);
  });

  test('serves short calls at once one after the other where calls may wait a little', async () => {
    const pool = poolOf('counter', {}, undefined, 60_000, 10_000);
    const results = await Promise.all([1, 2, 3].map(() => pool.invoke('{}')));
    expect(results.map(({ payload }) => payload)).toEqual(['1', '2', '3']);
  });

  test('is not kept from others by a call that was given up while it waited; one that runs goes on', async () => {
    const pool = poolOf('counter', { concurrency: 1 });
    await pool.invoke('{}');
    const givenUp = new AbortController();
    const calls = Array.from({ length: 3 }, () => pool.invoke('{}', { signal: givenUp.signal }));
    const last = pool.invoke('{}');
    givenUp.abort();
    const results = await Promise.allSettled(calls);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'TooManyRequestsException' } });
    expect((await last).payload).toBe('3');
  });

  test('that is busy for longer than calls may wait does not hold them up', async () => {
    const pool = poolOf('sleeps', {}, undefined, 60_000, 20);
    const slow = pool.invoke('{"ms":4000}').then(() => 'slow');
    const quick = pool.invoke('{"ms":1}').then(() => 'quick');
    expect(await Promise.race([slow, quick])).toBe('quick');
  });

  test('that computes keeps others waiting for longer, but not for ever', async () => {
    const pool = poolOf('computes', {}, undefined, 60_000, 20);
    await call(pool, { ms: 1 });
    const [first, second] = await Promise.all([call(pool, { ms: 100 }), call(pool, { ms: 1 })]);
    expect([first.answer, second.answer]).toEqual([2, 3]);
    const slow = pool.invoke('{"ms":4000}').then(() => 'slow');
    const quick = pool.invoke('{"ms":1}').then(() => 'quick');
    expect(await Promise.race([slow, quick])).toBe('quick');
  });

  test('that times out is ended, and the next call gets a fresh one', async () => {
    const pool = poolOf('spins', { timeoutSeconds: 0.2, concurrency: 1 });
    const { answer, functionError, requestId } = await call(pool);
    expect(functionError).toBe('Unhandled');
    expect(answer).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after 0.20 seconds`,
    });
    expect((await call(pool)).answer.errorType).toBe('Sandbox.Timedout');
  });

  test('that exits answers its call and is replaced', async () => {
    const pool = poolOf('exits', { concurrency: 1 });
    const { answer, requestId } = await call(pool, { exit: 3 });
    expect(answer).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: exit status 3`,
    });
    expect((await call(pool, { exit: 0 })).answer.errorMessage).toContain('Runtime exited without providing a reason');
    expect((await call(pool)).answer).toBe('alive');
  });

  test('that runs out of memory ends alone', async () => {
    const { answer } = await call(poolOf('hoards', { memoryMb: 32, timeoutSeconds: 30 }));
    expect(answer.errorType).toBe('Runtime.ExitError');
    expect(answer.errorMessage).toContain('signal: killed');
  });

  test('has the memory of its function, and little of it for what is short-lived', async () => {
    const { answer } = await call(poolOf('limits', { memoryMb: 256 }));
    expect(answer).toMatchObject({ maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 });
  });

  test('above the first is ended when idle', async () => {
    const pool = poolOf('counter', { concurrency: 2 }, undefined, 30);
    await Promise.all([call(pool), call(pool)]);
    // A second container that was still there would answer 2 to one of two calls at once.
    const deadline = Date.now() + 10_000;
    for (;;) {
      const answers = (await Promise.all([call(pool), call(pool)])).map(({ answer }) => answer);
      if (answers.includes(1)) break;
      expect(Date.now()).toBeLessThan(deadline);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});

describe('the log', () => {
  async function logOf(handler: string, event: unknown = {}, changes: Partial<FunctionDefinition> = {}) {
    const lines: FunctionLogLine[] = [];
    const { requestId, logTail } = await call(
      poolOf(handler, changes, (line) => lines.push(line)),
      event,
    );
    for (const { stream, functionName } of lines) {
      expect({ stream, functionName }).toEqual({ stream: 'stderr', functionName: 'shop-dev-put-stock' });
    }
    const texts = lines.map(({ line }) =>
      line.replace(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z/, 'TIME').replaceAll(requestId, 'ID'),
    );
    return { texts, logTail };
  }

  const entry = (requestId: string, heading: string, errorType: string, errorMessage: string, frame?: string) =>
    expect.stringMatching(
      new RegExp(
        `^TIME\\t${requestId}\\tERROR\\t${heading} \\t\\{"errorType":"${errorType}","errorMessage":"${errorMessage}","stack":\\[.*${frame ?? ''}`,
      ),
    );

  test.each([
    ['throws', 'Invoke Error', 'RangeError', 'too many'],
    ['sync', 'Invoke Error', 'TypeError', 'sync'],
    ['rejectsLater', 'Unhandled Promise Rejection', 'Runtime.UnhandledPromiseRejection', 'Error: nobody waits'],
    ['throwsLater', 'Uncaught Exception', 'EvalError', 'late'],
  ])('of %s has the exception with its stack, under the id of the call', async (handler, heading, type, message) => {
    const { texts, logTail } = await logOf(handler);
    expect(texts).toEqual([entry('ID', heading, type, message, `${handler}.cjs:1:`)]);
    expect(logTail).toContain(heading);
  });

  test.each([
    ['noExport', 'Runtime.HandlerNotFound', 'src/handlers/noExport.handler is undefined or not exported'],
    ['nowhere', 'Runtime.ImportModuleError', "Error: Cannot find module 'src/handlers/nowhere'"],
    ['throwsAtLoad', 'Error', 'no table name'],
  ])('of %s says why the function cannot start', async (handler, type, message) => {
    const { texts, logTail } = await logOf(handler);
    expect(texts).toEqual([entry('undefined', 'Uncaught Exception', type, message)]);
    expect(logTail).toContain(message);
  });

  test('of a call that takes too long says so', async () => {
    const { texts } = await logOf('spins', {}, { timeoutSeconds: 0.2 });
    expect(texts).toEqual(['TIME ID Task timed out after 0.20 seconds']);
  });

  test('of a process that exits says so', async () => {
    expect((await logOf('exits', { exit: 3 })).texts).toEqual([
      'RequestId: ID Error: Runtime exited with error: exit status 3\nRuntime.ExitError',
    ]);
  });

  test('of a process that runs out of memory says so', async () => {
    const { texts } = await logOf('hoards', {}, { memoryMb: 32, timeoutSeconds: 30 });
    expect(texts).toEqual([expect.stringMatching(/^RequestId: ID Error: .*signal: killed .*\nRuntime\.ExitError$/)]);
  });

  test('of an answer that is too large says so', async () => {
    expect((await logOf('huge')).texts).toEqual([
      expect.stringContaining('LAMBDA_RUNTIME Failed to post handler success response. Http response code: 413.'),
    ]);
  });

  test('of containers that are stopped says nothing', async () => {
    const lines: string[] = [];
    const asleep = Promise.withResolvers<void>();
    const pool = poolOf('sleeps', { timeoutSeconds: 60 }, ({ line }) => {
      lines.push(line);
      asleep.resolve();
    });
    const running = call(pool, { ms: 60_000 });
    await asleep.promise;
    await pool.stop();
    await running;
    expect(lines).toEqual(['asleep']);
  });

  test('is told why a function that is started ahead cannot start', async () => {
    expect(await poolOf('throwsAtLoad').warm()).toMatchObject({ errorType: 'Error', errorMessage: 'no table name' });
    expect(await poolOf('echo').warm()).toBeUndefined();
  });
});

describe('output', () => {
  test('comes line by line with the call it belongs to, before the answer', async () => {
    const lines: FunctionLogLine[] = [];
    const { requestId, logTail } = await call(
      poolOf('writes', {}, (line) => lines.push(line)),
      { name: 'Ada' },
    );
    expect(lines).toMatchObject([
      { functionName: 'shop-dev-put-stock', requestId, stream: 'stdout', line: 'hello Ada' },
      { stream: 'stderr', line: 'oh' },
      { stream: 'stdout', line: 'no newline', requestId },
    ]);
    expect(logTail).toContain(`START RequestId: ${requestId} Version: $LATEST\nhello Ada\noh\nno newline\nEND`);
  });
});

describe('stop', () => {
  test('answers what is under way and refuses what waits', async () => {
    const asleep = Promise.withResolvers<void>();
    const pool = poolOf('sleeps', { concurrency: 1, timeoutSeconds: 60 }, () => asleep.resolve());
    const running = call(pool, { ms: 60_000 });
    const waiting = pool.invoke('{}');
    const refused = expect(waiting).rejects.toMatchObject({ code: 'TooManyRequestsException' });
    await asleep.promise;
    await pool.stop();
    expect((await running).answer.errorType).toBe('Runtime.ExitError');
    await refused;
    await expect(pool.invoke('{}')).rejects.toMatchObject({ code: 'TooManyRequestsException' });
  });
});
