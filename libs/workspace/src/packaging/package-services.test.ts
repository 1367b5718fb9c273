import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { compileTemplates, packageServices } from './package-services.ts';

/** Ignored by git. The services must stand in the workspace, from whose node_modules osls comes. */
const scratch = join(import.meta.dirname, '..', '..', '.millrace', 'package-services-test');
const cacheDirectory = join(scratch, 'packages');

/** Packages services of the scratch folder; the second element is what was logged. */
async function pack(...names: string[]) {
  return packAt('test', ...names);
}

async function packAt(stage: string, ...names: string[]) {
  const log: string[] = [];
  const directories = names.map((name) => join(scratch, name));
  const services = await packageServices({
    directories,
    stage,
    region: 'eu-central-1',
    cacheDirectory,
    log: (line) => log.push(line),
  });
  return { services, log };
}

function writeHandler(service: string, code: string) {
  writeFileSync(join(scratch, service, 'src', 'answer.ts'), code);
}

/** Changes a service's serverless.yml. */
function change(service: string, by: (configuration: object) => object) {
  const file = join(scratch, service, 'serverless.yml');
  writeFileSync(file, JSON.stringify(by(JSON.parse(readFileSync(file, 'utf8')))));
}

const shared = (section: string) => `\${file(../../../../../serverless.common.yml):${section}}`;

beforeEach(() => {
  for (const service of ['alpha', 'beta']) {
    mkdirSync(join(scratch, service, 'src'), { recursive: true });
    writeFileSync(
      join(scratch, service, 'serverless.yml'),
      JSON.stringify({
        service: `millrace-${service}`,
        configValidationMode: 'error',
        plugins: ['serverless-esbuild'],
        params: `\${file(../../../../../serverless.stages.yml)}`,
        provider: shared('provider'),
        custom: shared('custom'),
        package: { individually: true },
        functions: { answer: { handler: 'src/answer.handler' }, other: { handler: 'src/other.handler' } },
      }),
    );
    writeHandler(service, `export const handler = async (): Promise<string> => '${service} ' + process.version;\n`);
    writeFileSync(join(scratch, service, 'src', 'other.ts'), 'export const handler = async () => 42;\n');
  }
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

async function answerOf(codeDirectory: string | undefined): Promise<unknown> {
  return createRequire(import.meta.url)(join(codeDirectory ?? '', 'src', 'answer.cjs')).handler();
}

describe('packageServices', () => {
  test('gives each service its template and each function a bundle that Node can run, and leaves nothing else, side by side', async () => {
    mkdirSync(join(scratch, 'alpha', '.serverless'));
    writeFileSync(join(scratch, 'alpha', '.serverless', 'by-hand.zip'), '');

    // Two processes at once, on one cache.
    const [{ services }, other] = await Promise.all([pack('alpha', 'beta'), pack('beta', 'alpha')]);

    expect(other.services.toReversed()).toEqual(services);
    expect(services.map(({ name, stackName, directory }) => [name, stackName, directory])).toEqual([
      ['millrace-alpha', 'millrace-alpha-test', join(scratch, 'alpha')],
      ['millrace-beta', 'millrace-beta-test', join(scratch, 'beta')],
    ]);
    for (const [index, service] of ['alpha', 'beta'].entries()) {
      const packaged = services[index];
      expect(packaged?.template.Resources?.AnswerLambdaFunction?.Properties).toMatchObject({
        FunctionName: `millrace-${service}-test-answer`,
        Handler: 'src/answer.handler',
      });
      const code = packaged?.functions.get(`millrace-${service}-test-answer`)?.codeDirectory;
      expect(await answerOf(code)).toBe(`${service} ${process.version}`);
      const { inputs } = JSON.parse(readFileSync(packaged?.metafile ?? '', 'utf8'));
      expect(Object.keys(inputs).sort()).toEqual(['src/answer.ts', 'src/other.ts']);
      for (const kind of ['packages', 'bundles']) {
        expect(readdirSync(join(cacheDirectory, service, kind))).toEqual([expect.not.stringContaining('draft')]);
      }
    }
    expect(readdirSync(join(scratch, 'alpha')).sort()).toEqual(['.serverless', 'serverless.yml', 'src']);
    expect(existsSync(join(scratch, 'alpha', '.serverless', 'by-hand.zip'))).toBe(true);
  });

  test('takes functions of a list of mappings, as where a stage adds some', async () => {
    change('alpha', (configuration) => {
      const { answer, other } = (configuration as { functions: Record<string, object> }).functions;
      return { ...configuration, functions: [{ answer }, { other }] };
    });

    const { services } = await pack('alpha');

    expect([...(services[0]?.functions.keys() ?? [])]).toEqual(
      ['answer', 'other'].map((key) => `millrace-alpha-test-${key}`),
    );
  });

  test('takes unchanged services from the cache, at once, and packages only what changed', async () => {
    const first = await pack('alpha', 'beta');
    expect(first.log).toEqual(['Packaging alpha, beta']);

    const start = performance.now();
    const second = await pack('alpha', 'beta');
    expect(performance.now() - start).toBeLessThan(300);
    expect(second).toEqual({ services: first.services, log: [] });

    writeFileSync(join(scratch, 'beta', 'src', 'answer.test.ts'), 'a test goes into no package');
    expect((await pack('alpha', 'beta')).log).toEqual([]);

    writeHandler('beta', `export const handler = async () => 'new';\n`);
    const third = await pack('alpha', 'beta');
    expect(third.log).toEqual(['Packaging beta']);
    expect(await answerOf(third.services[1]?.functions.get('millrace-beta-test-answer')?.codeDirectory)).toBe('new');
  });

  test('gives stages templates of their own and the same bundles, as long as these are there', async () => {
    const code = ({ services: [service] }: Awaited<ReturnType<typeof pack>>) =>
      service?.functions.get(`${service.stackName}-answer`)?.codeDirectory ?? '';
    const bundles = join(cacheDirectory, 'alpha', 'bundles');

    const dev = await packAt('dev', 'alpha');
    const prod = await packAt('prod', 'alpha');

    expect([dev, prod].map(({ services: [service] }) => service?.stackName)).toEqual([
      'millrace-alpha-dev',
      'millrace-alpha-prod',
    ]);
    expect(code(prod)).toBe(code(dev));
    expect(readdirSync(bundles)).toHaveLength(1);

    rmSync(bundles, { recursive: true });
    expect(await answerOf(code(await packAt('dev', 'alpha')))).toMatch('alpha');
  });

  test('says in one line for each mistake what is wrong and where, keeps the good services, and recovers', async () => {
    cpSync(join(scratch, 'alpha'), join(scratch, 'gamma'), { recursive: true });
    writeFileSync(join(scratch, 'gamma', 'serverless.yml'), 'service: [');
    writeHandler('beta', `import { missing } from './missing.ts';\nexport const handler = missing;\n`);
    const folder = 'libs/workspace/.millrace/package-services-test';

    const error: unknown = await pack('alpha', 'beta', 'gamma').catch((reason: unknown) => reason);

    const lines = (error instanceof Error ? error.message : '').split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(`${folder}/beta/src/answer.ts:1:24: Could not resolve "./missing.ts"`);
    expect(lines[1]).toMatch(`${folder}/gamma/serverless.yml: Cannot parse "serverless.yml"`);

    writeFileSync(join(scratch, 'beta', 'src', 'missing.ts'), `export const missing = async () => 'found';\n`);
    const { services, log } = await pack('alpha', 'beta');
    expect(log).toEqual(['Packaging beta']);
    expect(await answerOf(services[1]?.functions.get('millrace-beta-test-answer')?.codeDirectory)).toBe('found');
  });

  const failure = async (...names: string[]) => {
    const error: unknown = await pack(...names).catch((reason: unknown) => reason);
    return error instanceof Error ? error.message : 'nothing failed';
  };

  test('says once what several services share', async () => {
    writeFileSync(join(scratch, 'shared.ts'), 'export const = 1;\n');
    for (const service of ['alpha', 'beta']) writeHandler(service, `import '../../shared.ts';`);
    expect(await failure('alpha', 'beta')).toBe(
      'libs/workspace/.millrace/package-services-test/shared.ts:1:13: Expected identifier but found "="',
    );

    for (const service of ['alpha', 'beta']) {
      change(service, (configuration) => ({ ...configuration, provider: { name: 'aws', memorySize: 'many' } }));
    }
    const shared = "^serverless.common.yml or .*: Configuration error at 'provider.memorySize': must be integer .*";
    expect(await failure('alpha', 'beta')).toMatch(
      new RegExp(`${shared} \\(found in 2 services, from libs/workspace/.*/alpha/serverless.yml on\\)$`),
    );
  });

  test('refuses import.meta, which would be empty in a bundle, with file and line', async () => {
    writeHandler('alpha', 'export const handler = async () =>\n  import.meta.url;\n');
    expect(await failure('alpha')).toMatch(
      /^libs\/workspace\/\.millrace\/package-services-test\/alpha\/src\/answer\.ts:2:2: "import\.meta" is not available/,
    );
  });

  test('hands on what esbuild and osls warn of, from the cache as well', async () => {
    writeHandler('alpha', `export const handler = async () => typeof handler === 'nonsense';\n`);
    change('alpha', (configuration) => ({ ...configuration, configValidationMode: 'warn', unheardOf: true }));
    const folder = 'libs/workspace/.millrace/package-services-test/alpha';
    for (const log of [['Packaging alpha'], []]) {
      const packed = await pack('alpha');
      expect(packed.log).toEqual(log);
      const [invalid, ...others] = packed.services[0]?.warnings ?? [];
      expect(invalid).toMatch(/^libs\/workspace\/\S+\/alpha\/serverless\.yml: .*unrecognized property 'unheardOf'/);
      expect(others).toEqual([`${folder}/src/answer.ts:1:54: The "typeof" operator will never evaluate to "nonsense"`]);
    }
  });

  test('does not wait for a process that has answered and does not end', async () => {
    const before = process.env.NODE_OPTIONS;
    const endless = encodeURIComponent('process.exit = () => { setInterval(() => undefined, 1_000); };');
    process.env.NODE_OPTIONS = `--import=data:text/javascript,${endless}`;
    try {
      const { services } = await pack('alpha');
      expect(services.map(({ name }) => name)).toEqual(['millrace-alpha']);
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = before;
    }
  });

  test('names a folder without serverless.yml', async () => {
    mkdirSync(join(scratch, 'empty'));
    await expect(pack('empty')).rejects.toThrow(
      'libs/workspace/.millrace/package-services-test/empty has no serverless.yml',
    );
  });
});

describe('compileTemplates', () => {
  const compile = async (...names: string[]) => {
    const log: string[] = [];
    const directories = names.map((name) => join(scratch, name));
    const options = { directories, stage: 'test', region: 'eu-central-1', cacheDirectory };
    return { log, services: await compileTemplates({ ...options, log: (line) => log.push(line) }) };
  };

  test('gives the template of a package without its code, which it does not look at, unless there is a package', async () => {
    writeHandler('alpha', 'export const handler = missing');
    const first = await compile('alpha');
    expect(first.log).toEqual(['Compiling the templates of alpha']);
    expect(readdirSync(join(cacheDirectory, 'alpha'))).toEqual(['templates']);
    expect((await compile('alpha')).log).toEqual([]);

    writeHandler('alpha', 'export const handler = async () => 42;');
    // It is no package: that is made when it is wanted.
    const { services, log } = await pack('alpha');
    expect(log).toEqual(['Packaging alpha']);
    const summary = ({ name, stackName, stackTags, template }: (typeof first.services)[number]) => ({
      ...{ name, stackName, stackTags },
      resources: Object.keys(template.Resources ?? {}),
      handler: template.Resources?.AnswerLambdaFunction?.Properties?.Handler,
    });
    expect(first.services.map(summary)).toEqual(services.map(summary));
    expect(first.services.map(summary)).toMatchObject([{ handler: 'src/answer.handler' }]);

    // Where there is a package, its template is taken.
    const both = await compile('alpha', 'beta');
    expect(both.log).toEqual(['Compiling the templates of beta']);
    expect(both.services.map(({ stackName }) => stackName)).toEqual(['millrace-alpha-test', 'millrace-beta-test']);
  });
});
