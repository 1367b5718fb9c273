import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import ServerlessConsumers from './index.ts';
import type { Osls } from './osls.ts';

/** Pages of what CloudFormation says is exported. */
let pages: string[][];
let requests = 0;
let endpoint: string;

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  requests += 1;
  const page = Number(new URLSearchParams(body).get('NextToken') ?? 0);
  const members = (pages[page] ?? []).map((name) => `<member><Name>${name}</Name></member>`).join('');
  const next = page + 1 < pages.length ? `<NextToken>${page + 1}</NextToken>` : '';
  response.end(
    `<ListExportsResponse><ListExportsResult><Exports>${members}</Exports>${next}</ListExportsResult></ListExportsResponse>`,
  );
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  requests = 0;
});

class OslsError extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** Runs what the plugin does before `sls deploy` creates anything. */
async function beforeDeployment(imports: string[]): Promise<void> {
  const Rule = { Properties: { Names: imports.map((name) => ({ 'Fn::ImportValue': name })) } };
  const configuration = { region: 'eu-west-1', endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const plugin = new ServerlessConsumers({
    classes: { Error: OslsError },
    configSchemaHandler: { defineFunctionEvent: () => undefined, defineFunctionProperties: () => undefined },
    service: { service: 'millrace-shop', provider: { compiledCloudFormationTemplate: { Resources: { Rule } } } },
    getProvider: () => ({ getRegion: () => 'eu-west-1', getAwsSdkV3Config: async () => configuration }),
  } as unknown as Osls);
  await plugin.hooks['before:deploy:deploy']?.();
}

test('a stack is deployed when others export what it imports, whatever page it is on', async () => {
  pages = [['other', 'millrace-dev:EventBusName'], ['millrace-dev:EventBusArn']];
  await beforeDeployment(['millrace-dev:EventBusName', 'millrace-dev:EventBusArn']);
  expect(requests).toBe(2);
});

test('nothing is created when an export is missing, and it is named', async () => {
  pages = [['millrace-dev:EventBusName']];
  await expect(
    beforeDeployment(['millrace-dev:EventBusName', 'millrace-dev:EventBusArn', 'millrace-dev:EventBusArn']),
  ).rejects.toMatchObject({
    message:
      'millrace-shop imports millrace-dev:EventBusArn, which no stack of eu-west-1 exports: deploy the service that does first',
    code: 'CONSUMERS_MISSING_EXPORT',
  });
});

test('a stack that imports nothing asks nothing', async () => {
  await beforeDeployment([]);
  expect(requests).toBe(0);
});
