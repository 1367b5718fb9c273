import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { catalogueProblems, findWorkspaceRoot, loadContracts, readCatalogue, serviceDirectories } from './catalogue.ts';

const library = import.meta.resolve('@millrace/events');
const zod = import.meta.resolve('zod');

function contract(exportName: string, service: string, { name = exportName, version = 1, upcasts = '' } = {}): string {
  return `export const ${exportName} = defineEvent({
    name: '${name}', version: ${version}, service: '${service}', category: 'domain', type: 'data', summary: 'Test.',
    data: z.object({ id: z.string() }), example: { id: '1' },
    ${upcasts && `upcasts: { from: ${upcasts}, data: (old) => old },`}
  });\n`;
}

const imports = `import { defineEvent } from '${library}';\nimport * as z from '${zod}';\n`;
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Two services that agree: `shop` emits Sold.v1, `mailer` consumes it. */
function soundWorkspace(): Record<string, string> {
  return {
    'package.json': '{ "workspaces": ["services/*"] }',
    'services/shop/serverless.yml': `
service: millrace-shop
functions:
  relay:
    handler: src/handlers/relay.handler
    emits: [Sold.v1]
    events:
      - stream: { type: dynamodb, arn: !GetAtt Table.StreamArn }
`,
    'services/shop/events/index.ts': `${imports}export const version = 1;\n${contract('Sold', 'shop')}`,
    'services/shop/src/domain/sale.ts': 'events.push(Sold.create({ id }, context));',
    'services/mailer/serverless.yml': `
service: millrace-mailer
functions:
  page:
    handler: src/handlers/page.handler
    events: [{ httpApi: 'GET /' }]
  onSold:
    handler: src/handlers/on-sold.handler
    events:
      - consume: { events: [Sold.v1] }
`,
  };
}

let files: Record<string, string>;
beforeEach(() => {
  files = soundWorkspace();
});

function workspace(): string {
  const root = mkdtempSync(join(tmpdir(), 'millrace-catalogue-'));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const problems = async () => catalogueProblems(await readCatalogue(workspace()));

function edit(file: string, from: string, to: string): void {
  const text = files[file] ?? '';
  expect(text).toContain(from);
  files[file] = text.replace(from, to);
}

describe('a sound workspace', () => {
  test('is listed with contract, producers and consumers, and has no problems', async () => {
    const entries = await readCatalogue(workspace());

    expect(entries).toEqual([
      {
        detailType: 'Sold.v1',
        contract: expect.objectContaining({ detailType: 'Sold.v1', service: 'shop' }),
        producers: [
          {
            service: 'shop',
            function: 'relay',
            file: 'services/shop/serverless.yml',
            key: 'functions.relay.emits[0]',
          },
        ],
        consumers: [
          {
            service: 'mailer',
            function: 'onSold',
            file: 'services/mailer/serverless.yml',
            key: 'functions.onSold.events[0].consume.events[0]',
          },
        ],
        analyticsConsumers: [],
        createdIn: ['services/shop/src/domain/sale.ts'],
      },
    ]);
    expect(catalogueProblems(entries)).toEqual([]);
  });

  test('may have its functions in a list, with those of a file that a stage chooses', async () => {
    const known = await readCatalogue(workspace());
    files['services/mailer/serverless.yml'] = `
functions:
  - page:
      handler: src/handlers/page.handler
    onSold:
      handler: src/handlers/on-sold.handler
      events:
        - consume: { events: [Sold.v1] }
  - \${file(more-\${param:more}.yml):functions}
`;
    expect((await readCatalogue(workspace())).map(({ consumers }) => consumers)).toEqual(
      known.map(({ consumers }) => consumers),
    );
  });

  test('has the consumers of variants apart: they handle other events, with ids of their own', async () => {
    edit('services/mailer/serverless.yml', 'consume: {', 'consume: { bus: analytics,');
    const [entry] = await readCatalogue(workspace());
    expect(entry?.consumers).toEqual([]);
    expect(entry?.analyticsConsumers).toMatchObject([{ service: 'mailer', function: 'onSold' }]);
    expect(await problems()).toEqual([
      'services/mailer/serverless.yml: functions.onSold.events[0].consume.events[0]: Sold.v1 is not on the analytics bus',
    ]);
  });

  test('may hold two versions of an event side by side', async () => {
    files['services/shop/events/index.ts'] += contract('SoldV2', 'shop', { name: 'Sold', version: 2 });
    edit('services/shop/serverless.yml', '[Sold.v1]', '[Sold.v1, Sold.v2]');
    const onlyFirstCreated = await problems();
    edit('services/shop/src/domain/sale.ts', 'events', 'SoldV2.create(both);\nevents');

    expect(onlyFirstCreated).toEqual(['services/shop/src: no code creates Sold.v2']);
    expect(await problems()).toEqual([]);
  });
});

describe('a version that takes the place of the one before', () => {
  const shop = 'services/shop/serverless.yml';
  const mailer = 'services/mailer/serverless.yml';
  const consumed = 'functions.onSold.events[0].consume.events[0]';

  beforeEach(() => {
    files['services/shop/events/index.ts'] += contract('SoldV2', 'shop', { name: 'Sold', version: 2, upcasts: 'Sold' });
  });

  test('may be there before anybody consumes or emits it', async () => {
    expect(await problems()).toEqual([]);
  });

  test('is consumed first and emitted then, and its consumers are those of the older one too', async () => {
    edit(mailer, 'Sold.v1', 'Sold.v2');
    expect(await problems()).toEqual([]);
    edit(shop, 'Sold.v1', 'Sold.v2');
    edit('services/shop/src/domain/sale.ts', 'Sold', 'SoldV2');

    const entries = await readCatalogue(workspace());

    expect(catalogueProblems(entries)).toEqual([]);
    const consumer = { service: 'mailer', function: 'onSold', file: mailer, key: consumed };
    expect(entries.map(({ detailType, consumers }) => [detailType, consumers])).toEqual([
      ['Sold.v1', [{ ...consumer, as: 'Sold.v2' }]],
      ['Sold.v2', [consumer]],
    ]);
  });

  test('may not be emitted while a consumer knows the older one alone', async () => {
    edit(shop, 'Sold.v1', 'Sold.v2');
    edit('services/shop/src/domain/sale.ts', 'Sold', 'SoldV2');

    expect(await problems()).toEqual([
      `${mailer}: ${consumed}: no function emits Sold.v1 any more: consume Sold.v2, which takes its place`,
    ]);
  });

  test('may not be emitted beside it, nor one be created and the other emitted', async () => {
    edit(shop, '[Sold.v1]', '[Sold.v2]');
    edit(mailer, 'Sold.v1', 'Sold.v2');
    const otherCreated = await problems();
    edit(shop, '[Sold.v2]', '[Sold.v2, Sold.v1]');
    edit('services/shop/src/domain/sale.ts', 'events', 'SoldV2.create(both);\nevents');

    expect(otherCreated).toEqual([
      `${shop}: no function lists Sold.v1 under emits`,
      'services/shop/src: no code creates Sold.v2',
    ]);
    expect(await problems()).toEqual([
      `${shop}: functions.relay.emits[1]: Sold.v1 is emitted beside Sold.v2, which takes its place`,
    ]);
  });

  test('is emitted by somebody, like any other', async () => {
    edit(shop, 'emits: [Sold.v1]', 'emits: []');
    edit(mailer, 'Sold.v1', 'Sold.v2');

    expect(await problems()).toEqual([
      `${shop}: no function lists Sold.v1 under emits`,
      `${mailer}: ${consumed}: no function emits Sold.v2`,
      `${shop}: no function lists Sold.v2 under emits`,
    ]);
  });

  test('brings the older contract along, exported or not', async () => {
    edit('services/shop/events/index.ts', 'export const Sold ', 'const Sold ');

    expect([...(await loadContracts([join(workspace(), 'services/shop')])).keys()]).toEqual(['Sold.v2', 'Sold.v1']);
  });
});

describe('problems are named by file and key', () => {
  test('a subscription to an event that nobody defines', async () => {
    edit('services/mailer/serverless.yml', '[Sold.v1]', '[Sold.v1, Sodl.v1]');

    expect(await problems()).toEqual([
      'services/mailer/serverless.yml: functions.onSold.events[0].consume.events[1]: no contract defines Sodl.v1',
    ]);
  });

  test('a subscription to an event that nobody emits', async () => {
    edit('services/shop/serverless.yml', 'emits: [Sold.v1]', 'emits: []');

    expect(await problems()).toEqual([
      'services/mailer/serverless.yml: functions.onSold.events[0].consume.events[0]: no function emits Sold.v1',
      'services/shop/serverless.yml: no function lists Sold.v1 under emits',
    ]);
  });

  test('an event that another service than its owner emits', async () => {
    edit('services/mailer/serverless.yml', 'handler: src/handlers/page.handler', 'emits: [Sold.v1]');

    expect(await problems()).toEqual([
      'services/mailer/serverless.yml: functions.page.emits[0]: Sold.v1 belongs to shop, mailer may not emit it',
    ]);
  });

  test('an emitted event that nobody defines', async () => {
    edit('services/shop/serverless.yml', '[Sold.v1]', '[Sold.v1, Lost.v1]');

    expect(await problems()).toEqual([
      'services/shop/serverless.yml: functions.relay.emits[1]: no contract defines Lost.v1',
    ]);
  });

  test('a contract that no code of its service creates; tests and other services do not count', async () => {
    delete files['services/shop/src/domain/sale.ts'];
    files['services/shop/src/domain/sale.test.ts'] = 'Sold.create(x, y)';
    files['services/mailer/src/forge.ts'] = 'Sold.create(x, y)';
    files['services/shop/src/quote.ts'] = 'Sold.parse(x)';
    files['services/shop/src/other.ts'] = 'Unsold.create(x, y)';

    expect(await problems()).toEqual(['services/shop/src: no code creates Sold.v1']);
  });

  test('a detail-type that two services define', async () => {
    files['services/mailer/events/index.ts'] = `${imports}${contract('Sold', 'mailer')}`;

    await expect(problems()).rejects.toThrow(/Sold\.v1 is defined twice: by mailer and in .*services\/shop\/events/);
  });

  test('a template that is not YAML', async () => {
    files['services/mailer/serverless.yml'] = 'functions:\n  onSold: { events: [';

    await expect(problems()).rejects.toThrow(/services\/mailer\/serverless\.yml/);
  });
});

describe('finding services and contracts', () => {
  test('the workspace root is the nearest folder with workspaces', () => {
    files['services/shop/package.json'] = '{ "name": "shop" }';
    const root = workspace();

    expect(findWorkspaceRoot(join(root, 'services/shop'))).toBe(root);
    expect(findWorkspaceRoot(root)).toBe(root);
    expect(() => findWorkspaceRoot(tmpdir())).toThrow(/No package\.json with workspaces/);
  });

  test('a service is a folder with a template; one without events has no contracts', async () => {
    files['services/draft/notes.md'] = 'later';
    const root = workspace();

    const found = serviceDirectories(root);

    expect(found).toEqual([join(root, 'services/mailer'), join(root, 'services/shop')]);
    expect([...(await loadContracts(found)).keys()]).toEqual(['Sold.v1']);
  });

  test('a contract that a service passes on from another one is still defined once', async () => {
    const root = workspace();
    const shop = join(root, 'services/shop');
    mkdirSync(join(root, 'services/mailer/events'));
    writeFileSync(
      join(root, 'services/mailer/events/index.ts'),
      `export { Sold } from '${new URL(`file://${shop}/events/index.ts`).href}';`,
    );

    expect((await loadContracts(serviceDirectories(root))).get('Sold.v1')?.service).toBe('shop');
  });
});
