import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledService, compileTemplates } from '@millrace/workspace/packaging';

const lib = join(import.meta.dirname, '..');
/** Ignored by git: packages and generated services. */
const scratch = join(lib, '.millrace');
const cacheDirectory = join(scratch, 'packages');

const pack = (directories: string[]) =>
  compileTemplates({ directories, stage: 'dev', region: 'us-east-1', cacheDirectory });

const plugins = ['serverless-esbuild', '@millrace/serverless-http-api'];
const provider = { name: 'aws', runtime: 'nodejs24.x', stage: 'dev' };
const route = (throttle?: unknown) => ({
  handler: 'handler.handler',
  events: [{ httpApi: { method: 'GET', path: '/papers', ...(throttle === undefined ? {} : { throttle }) } }],
});

/** Writes a service that differs from the plainest one in these sections, and returns its folder. */
function generate(name: string, sections: Record<string, unknown>): string {
  const directory = join(scratch, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'handler.ts'), 'export const handler = async () => undefined;\n');
  const configuration = { service: `millrace-${name}`, configValidationMode: 'error', plugins, provider, ...sections };
  writeFileSync(join(directory, 'serverless.yml'), JSON.stringify(configuration));
  return directory;
}

const generated: string[] = [];
afterAll(() => {
  for (const directory of generated) rmSync(directory, { recursive: true, force: true });
});

const stageOf = ({ template }: CompiledService) => template.Resources?.HttpApiStage;

describe('the stage of an HTTP API', () => {
  let kiosk: CompiledService;
  let unlimited: CompiledService;
  let silent: CompiledService;
  let elsewhere: CompiledService;

  beforeAll(async () => {
    const throttle = { custom: { httpApi: { throttle: { rate: 10, burst: 20 } } } };
    const own = [
      generate('unlimited', { functions: { getPapers: route() } }),
      generate('silent', { ...throttle, functions: { count: { handler: 'handler.handler' } } }),
      generate('elsewhere', {
        ...throttle,
        provider: { ...provider, httpApi: { id: 'abc' } },
        functions: { getPapers: route() },
      }),
    ];
    generated.push(...own);
    const packaged = await pack([join(lib, 'fixtures', 'kiosk'), ...own]);
    [kiosk, unlimited, silent, elsewhere] = packaged as [
      CompiledService,
      CompiledService,
      CompiledService,
      CompiledService,
    ];
  });

  test('has the default for every route, and the settings of those that have their own', () => {
    const limits = (ThrottlingRateLimit: number, ThrottlingBurstLimit: number) => ({
      DetailedMetricsEnabled: true,
      ThrottlingRateLimit,
      ThrottlingBurstLimit,
    });

    expect(stageOf(kiosk)?.Properties).toMatchObject({
      DefaultRouteSettings: limits(100, 200),
      RouteSettings: {
        'PUT /papers/{id}': limits(0.5, 3),
        'ANY /papers': limits(5, 5),
        $default: limits(1, 1),
      },
    });
    expect(Object.keys((stageOf(kiosk)?.Properties?.RouteSettings as object | undefined) ?? {})).toHaveLength(3);
  });

  test('is made after the routes it has settings for, and after what osls wants made before it', () => {
    const dependencies = [stageOf(kiosk)?.DependsOn].flat();

    expect(dependencies).toEqual([
      'HttpApiLogGroup',
      'HttpApiRoutePutPapersIdVar',
      'HttpApiRouteAnyPapers',
      'HttpApiRouteDefault',
    ]);
    for (const id of dependencies) expect(kiosk.template.Resources).toHaveProperty(String(id));
  });

  test('stays as osls makes it where nothing is limited', () => {
    expect(stageOf(unlimited)?.Properties).toMatchObject({ DefaultRouteSettings: { DetailedMetricsEnabled: false } });
    expect(stageOf(unlimited)?.Properties).not.toHaveProperty('RouteSettings');
    expect(stageOf(unlimited)).not.toHaveProperty('DependsOn');
  });

  test('is not made for the default alone', () => {
    expect(stageOf(silent)).toBeUndefined();
    expect(stageOf(elsewhere)).toBeUndefined();
  });
});

describe('a mistake fails the build with file and key:', () => {
  const custom = (throttle: unknown) => ({ custom: { httpApi: { throttle } }, functions: { getPapers: route() } });
  const own = (throttle: unknown) => ({ functions: { getPapers: route(throttle) } });

  const mistakes: [title: string, sections: Record<string, unknown>, message: string | RegExp][] = [
    [
      'a route that takes nothing',
      own({ rate: 0, burst: 1 }),
      'functions.getPapers.events[0].httpApi.throttle.rate: is 0 requests per second, so every request would be answered 429',
    ],
    [
      'a negative rate',
      own({ rate: -1, burst: 1 }),
      'functions.getPapers.events[0].httpApi.throttle.rate: is -1 requests per second',
    ],
    [
      'no burst',
      own({ rate: 1, burst: 0 }),
      'functions.getPapers.events[0].httpApi.throttle.burst: is 0, but must be a whole number of requests from 1 up',
    ],
    [
      'half a request',
      own({ rate: 1, burst: 1.5 }),
      'functions.getPapers.events[0].httpApi.throttle.burst: is 1.5, but must be a whole number',
    ],
    ['a default that takes nothing', custom({ rate: 0, burst: 1 }), 'custom.httpApi.throttle.rate: is 0 requests'],
    ['one without the other', own({ rate: 1 }), /functions\.getPapers\.events\.0\.httpApi\.throttle.*'burst'/],
    [
      'a misspelt key',
      own({ rate: 1, burst: 1, brust: 1 }),
      /functions\.getPapers\.events\.0\.httpApi\.throttle.*'brust'/,
    ],
    ['a text', custom({ rate: 'many', burst: 1 }), /custom\.httpApi\.throttle\.rate.*number/],
    [
      'a misspelt default',
      { custom: { httpApi: { throttel: { rate: 1, burst: 1 } } }, functions: { getPapers: route() } },
      /custom\.httpApi.*throttel/,
    ],
    [
      'a limit for an API that is not its own',
      { provider: { ...provider, httpApi: { id: 'abc' } }, ...own({ rate: 1, burst: 1 }) },
      'functions.getPapers.events[0].httpApi.throttle: the API is of another stack (provider.httpApi.id)',
    ],
  ];

  let lines: string[];
  beforeAll(async () => {
    const directories = mistakes.map(([, sections], index) => generate(`mistake-${index}`, sections));
    generated.push(...directories);
    const error: unknown = await pack(directories).catch((reason: unknown) => reason);
    lines = String(error instanceof Error ? error.message : 'nothing failed').split('\n');
  });

  test.each(mistakes.map(([title, , message], index) => [title, message, index] as const))(
    '%s',
    (_, message, index) => {
      const file = `libs/serverless-http-api/.millrace/mistake-${index}/serverless.yml: `;
      const line = lines.find((text) => text.startsWith(file))?.slice(file.length);
      if (typeof message === 'string') expect(line?.slice(0, message.length)).toBe(message);
      else expect(line).toMatch(message);
    },
  );
});
