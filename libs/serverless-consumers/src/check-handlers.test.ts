import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { packageServices } from '@millrace/workspace/packaging';

/** Ignored by git. */
const scratch = join(import.meta.dirname, '..', '.millrace', 'check-handlers');
const cacheDirectory = join(scratch, 'packages');
const osls = join(dirname(createRequire(import.meta.url).resolve('serverless/package.json')), 'bin', 'serverless.js');

interface Service {
  functions: object;
  /** `src/handler.ts` */
  code: string;
}

function writeService(name: string, { functions, code }: Service): string {
  const common = '${file(../../../../../serverless.common.yml)';
  const folder = join(scratch, name);
  const files = {
    'events/index.ts': `export * from '../../../../fixtures/shop/events/index.ts';\n`,
    'src/handler.ts': `import { ShelfCounted, ShelfCountedV2, ShelfEmptied, ShelfFilled } from '../events/index.ts';\n${code}\n`,
    'serverless.yml': JSON.stringify({
      service: 'millrace-shop',
      configValidationMode: 'error',
      plugins: ['serverless-esbuild', '@millrace/serverless-consumers'],
      params: `\${file(../../../../../serverless.stages.yml)}`,
      provider: `${common}:provider}`,
      custom: `${common}:custom}`,
      package: { individually: true },
      functions,
    }),
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

const consuming = (...events: string[]) => ({
  onShelf: { handler: 'src/handler.handler', events: [{ consume: { events } }] },
});
const emitting = (...emits: string[]) => ({ relay: { handler: 'src/handler.handler', emits } });
const consumingVariants = (...events: string[]) => ({
  onShelf: { handler: 'src/handler.handler', events: [{ consume: { bus: 'analytics', events } }] },
});
const relaying = (contracts: string) =>
  `export const handler = Object.assign(async () => {}, { emits: [${contracts}] });`;
const scheduling = (...schedules: string[]) => ({ timer: { handler: 'src/handler.handler', schedules } });
const handling = (contracts: string, before = '') =>
  `${before}\nexport const handler = Object.assign(async () => {}, { contracts: [${contracts}] });`;
const marker = join(scratch, 'written-by-a-handler');

const differences: [title: string, service: Service, message: string | RegExp][] = [
  [
    'an event in the template alone',
    { functions: consuming('ShelfFilled.v1', 'ShelfEmptied.v1'), code: handling('ShelfFilled') },
    'functions.onShelf.events[0].consume.events[1]: ShelfEmptied.v1 is listed here, but src/handler.ts does not handle it',
  ],
  [
    'an event in the handler alone',
    { functions: consuming('ShelfFilled.v1'), code: handling('ShelfFilled, ShelfEmptied') },
    'functions.onShelf.events[0].consume.events: src/handler.ts handles ShelfEmptied.v1, but no such event is listed here',
  ],
  [
    'a newer version in the template alone',
    { functions: consuming('ShelfCounted.v2'), code: handling('ShelfCounted') },
    'functions.onShelf.events[0].consume.events[0]: ShelfCounted.v2 is listed here, but src/handler.ts does not',
  ],
  [
    'a newer version in the handler alone',
    { functions: consuming('ShelfCounted.v1'), code: handling('ShelfCountedV2') },
    'functions.onShelf.events[0].consume.events: src/handler.ts handles ShelfCounted.v2, but no such event is listed',
  ],
  [
    'a handler of events on the bus of their variants',
    { functions: consumingVariants('ShelfFilled.v1'), code: handling('ShelfFilled') },
    'functions.onShelf.events[0].consume.bus: is analytics, but src/handler.ts handles ShelfFilled.v1 itself',
  ],
  [
    'a handler of variants on the bus of events',
    { functions: consuming('ShelfFilled.v1'), code: handling('ShelfFilled.analytics') },
    'functions.onShelf.events[0].consume.bus: must be analytics: src/handler.ts handles the analytics variant of ShelfFilled.v1',
  ],
  [
    'a relay that does not know a contract',
    { functions: emitting('ShelfFilled.v1', 'ShelfEmptied.v1'), code: relaying('ShelfFilled') },
    'functions.relay.emits[1]: ShelfEmptied.v1 is listed here, but src/handler.ts does not give it to relay([…])',
  ],
  [
    'a relay that knows a contract too many',
    { functions: emitting('ShelfFilled.v1'), code: relaying('ShelfFilled, ShelfEmptied') },
    'functions.relay.emits: src/handler.ts gives ShelfEmptied.v1 to relay([…]), but it is not listed here',
  ],
  [
    'a handler that does not name its events',
    { functions: consuming('ShelfFilled.v1'), code: 'export const handler = async () => {};' },
    'functions.onShelf.events[0].consume: src/handler.ts does not say which events it handles: make its handler with',
  ],
  [
    'a consumer without consume',
    { functions: { onShelf: { handler: 'src/handler.handler' } }, code: handling('ShelfFilled') },
    'functions.onShelf.events: src/handler.ts handles ShelfFilled.v1, but the function has no consume',
  ],
  [
    'no such export',
    { functions: consuming('ShelfFilled.v1'), code: 'export const handle = async () => {};' },
    'functions.onShelf.handler: src/handler.ts exports no function "handler"',
  ],
  [
    'a variable that the template does not set',
    {
      functions: consuming('ShelfFilled.v1'),
      code: handling('ShelfFilled', `if (!process.env.SHELVES) throw new Error('SHELVES must be a number');`),
    },
    'functions.onShelf.handler: src/handler.ts cannot be loaded: SHELVES must be a number',
  ],
  [
    'a module that writes a file',
    {
      functions: consuming('ShelfFilled.v1'),
      code: handling(
        'ShelfFilled',
        `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(marker)}, '');`,
      ),
    },
    /functions\.onShelf\.handler: src\/handler\.ts cannot be loaded: .*permission/i,
  ],
  [
    'a module that connects somewhere',
    {
      functions: consuming('ShelfFilled.v1'),
      code: handling('ShelfFilled', `import { connect } from 'node:net';\nconnect(1, '127.0.0.1');`),
    },
    'functions.onShelf.handler: src/handler.ts cannot be loaded: the network must not be used while',
  ],
  [
    'a module that ends the process',
    { functions: consuming('ShelfFilled.v1'), code: handling('ShelfFilled', 'process.exit();') },
    'functions.onShelf.handler: src/handler.ts ends the process when it is loaded',
  ],
  [
    'an event that is emitted and not created',
    {
      functions: emitting('ShelfFilled.v1', 'ShelfEmptied.v1'),
      code: 'export const handler = () => ShelfFilled.create({} as never, {} as never);',
    },
    'functions.relay.emits[1]: ShelfEmptied.v1 is listed here, but no code in src creates it',
  ],
  [
    'an event that is scheduled and not created',
    { functions: scheduling('ShelfEmptied.v1'), code: 'export const handler = () => undefined;' },
    'functions.timer.schedules[0]: ShelfEmptied.v1 is listed here, but no code in src creates it',
  ],
  [
    'an event that is created and not emitted',
    {
      functions: emitting('ShelfFilled.v1'),
      code: 'export const handler = () => [ShelfEmptied.create({} as never, {} as never), ShelfFilled.create({} as never, {} as never)];',
    },
    'functions.relay.emits: src/handler.ts creates ShelfEmptied.v1, but no function lists it: add it to the emits',
  ],
];

async function messagesOf(services: readonly Service[]): Promise<string[]> {
  const directories = services.map((service, index) => writeService(`difference-${index}`, service));
  const failure: unknown = await packageServices({
    directories,
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory,
  }).catch((error: unknown) => error);
  return failure instanceof Error ? failure.message.split('\n') : [];
}

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

describe('a difference between template and code fails the build and names both files', () => {
  let lines: string[] = [];
  beforeAll(async () => {
    lines = await messagesOf(differences.map(([, service]) => service));
  });

  test('in one line for each of them', () => {
    expect(lines).toHaveLength(differences.length);
  });

  test.each(differences.map(([title, , message], index) => [title, message, index] as const))(
    '%s',
    (_, message, index) => {
      const file = `libs/serverless-consumers/.millrace/check-handlers/difference-${index}/serverless.yml: `;
      const line = lines.find((text) => text.startsWith(file))?.slice(file.length);
      if (typeof message === 'string') expect(line?.slice(0, message.length)).toBe(message);
      else expect(line).toMatch(message);
    },
  );

  test('and nothing has happened while the handlers were loaded', () => {
    expect(existsSync(marker)).toBe(false);
  });
});

test.each([
  ['a syntax error', 'const = 1;', /^libs\/.*\/contracts\/events\/own\.ts:2: Unexpected token/],
  ['a missing module', `import './missing.ts';`, /^libs\/.*\/contracts\/events\/own\.ts: Cannot find module/],
  ['what a module throws', `throw new Error('no');`, /^libs\/.*\/contracts\/events\/own\.ts:2: no$/],
])('a contract that cannot be loaded for %s is one message that names the module', async (_, code, message) => {
  const directory = writeService('contracts', {
    functions: consuming('ShelfFilled.v1'),
    code: handling('ShelfFilled'),
  });
  writeFileSync(join(directory, 'events', 'index.ts'), `export * from './own.ts';\n`);
  writeFileSync(join(directory, 'events', 'own.ts'), `export const own = 1;\n${code}\n`);
  const failure: unknown = await packageServices({
    directories: [directory],
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory,
  }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: expect.stringMatching(message) });
});

test('a newer version stands for the older ones it upcasts, and variables of the deployment are there', async () => {
  const agreeing = {
    functions: {
      ...consuming('ShelfCounted.v2'),
      onBoth: { handler: 'src/handler.both', events: [{ consume: { events: ['ShelfCounted.v2'] } }] },
      onQueue: { handler: 'src/handler.handler', events: [{ sqs: 'arn:aws:sqs:us-east-1:000000000000:theirs' }] },
    },
    code: `new URL(process.env.MILLRACE_CONSUMER_QUEUE_URL ?? 'https://none.invalid');
if (process.env.AWS_REGION !== 'us-east-1') throw new Error('no region');
${handling('ShelfCountedV2')}
export const both = Object.assign(async () => {}, { contracts: [ShelfCounted, ShelfCountedV2] });`,
  };
  const directories = [writeService('agreeing', agreeing)];
  const [service] = await packageServices({ directories, stage: 'dev', region: 'us-east-1', cacheDirectory });
  expect(service?.functions.size).toBe(3);
});

describe('sls package', () => {
  /** Fails the test when osls does not end. */
  function slsPackage(directory: string): Promise<{ exitCode: number | string | null | undefined; output: string }> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [osls, 'package'],
        { cwd: directory, timeout: 120_000, killSignal: 'SIGKILL' },
        (error, stdout, stderr) => resolve({ exitCode: error ? error.code : 0, output: stdout + stderr }),
      );
      child.stdin?.end();
    });
  }

  test('compares as well', async () => {
    const service = { functions: consuming('ShelfFilled.v1', 'ShelfEmptied.v1'), code: handling('ShelfFilled') };
    const { exitCode, output } = await slsPackage(writeService('by-hand', service));
    expect(output).toContain('ShelfEmptied.v1 is listed here, but src/handler.ts does not handle it');
    expect(exitCode).toBe(1);
  });

  test.each([
    ['a missing import', `import './missing.ts';`, 'Could not resolve "./missing.ts"'],
    ['a syntax error', 'const = 1;', 'ERROR: Expected identifier'],
    ['an await outside a function', 'await 1;', 'Top-level await is currently not supported'],
  ])('ends with exit code 1 after %s', async (_, code, message) => {
    const service = { functions: consuming('ShelfFilled.v1'), code: handling('ShelfFilled', code) };
    const { exitCode, output } = await slsPackage(writeService('broken', service));
    expect(output).toContain(message);
    expect(exitCode).toBe(1);
  });
});
