import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import { packageServices } from '@millrace/workspace/packaging';
import { runScript } from '../../test/run-script.ts';
import type { Template } from './data-losses.ts';
import { packageHash } from './package-hash.ts';

const root = findWorkspaceRoot(import.meta.dirname);

/** What the CloudFormation of this test has, by stack name; any change fails. */
const stacks = new Map<string, { template: Template; status?: string; hash?: string }>();
const exports = new Set<string>();
let endpoint: string;

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const parameters = new URLSearchParams(body);
  const action = parameters.get('Action');
  const name = parameters.get('StackName') ?? '';
  const stack = stacks.get(name);
  const answer = (content: string, status = 200) =>
    response.writeHead(status, { 'content-type': 'text/xml' }).end(`<${action}Response>${content}</${action}Response>`);
  const refuse = (code: string, message: string) =>
    response
      .writeHead(400, { 'content-type': 'text/xml' })
      .end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
      );
  if (action === 'ListExports') {
    const members = [...exports].map((each) => `<member><Name>${each}</Name></member>`).join('');
    return answer(`<ListExportsResult><Exports>${members}</Exports></ListExportsResult>`);
  }
  if (action !== 'DescribeStacks' && action !== 'GetTemplate') {
    return refuse('InvalidAction', `nothing may be changed, but somebody asked for ${action}`);
  }
  if (!stack) return refuse('ValidationError', `Stack with id ${name} does not exist`);
  if (action === 'DescribeStacks') {
    const { status = 'UPDATE_COMPLETE', hash } = stack;
    const output = hash ? `<member><OutputKey>PackageHash</OutputKey><OutputValue>${hash}</OutputValue></member>` : '';
    return answer(
      `<DescribeStacksResult><Stacks><member><StackName>${name}</StackName><StackStatus>${status}</StackStatus>` +
        `<Outputs>${output}</Outputs></member></Stacks></DescribeStacksResult>`,
    );
  }
  const text = JSON.stringify(stack.template).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return answer(`<GetTemplateResult><TemplateBody>${text}</TemplateBody></GetTemplateResult>`);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  stacks.clear();
  exports.clear();
});

async function packaged(name: string) {
  const [service] = await packageServices({
    directories: [join(root, 'services', name)],
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
  });
  if (!service) throw new Error(`${name} was not packaged`);
  return service;
}

describe('misused', () => {
  test.each([
    ['deploy', ['--stage', 'dev-eu'], '--stage must be lower-case letters and digits, not "dev-eu"'],
    ['deploy', ['--service', 'ordres'], '--service must be one of event-bus, orders, '],
    ['deploy', ['--endpoint', 'localhost'], '--endpoint must be a URL like http://127.0.0.1:4566, not "localhost"'],
    ['deploy', ['orders'], "Unexpected argument 'orders'"],
    ['remove', ['--service', 'ordres'], '--service must be one of event-bus, orders, '],
    ['remove', ['--force'], "Unknown option '--force'"],
  ])('npm run %s -- %j says so', async (script, args, message) => {
    const { exitCode, stderr } = await runScript(script, ...args);
    expect(stderr).toContain(message);
    expect(stderr).toContain(`(npm run ${script} -- --help)`);
    expect(exitCode).toBe(2);
  });

  test.each(['deploy', 'remove'])('npm run %s has help', async (script) => {
    const { exitCode, stdout } = await runScript(script, '--help');
    expect(stdout).toContain(`Usage: npm run ${script} -- [options]`);
    expect(exitCode).toBe(0);
  });
});

const busExports = [
  'EventBusName',
  'EventBusArn',
  'AnalyticsBusName',
  'AnalyticsBusArn',
  'PseudonymKeyArn',
  'AlarmTopicArn',
];

describe('npm run deploy', () => {
  test('says what would be done on an empty account', async () => {
    const { exitCode, stdout } = await runScript('deploy', '--endpoint', endpoint, '--dry-run');
    expect(stdout).toMatch(/event-bus +create\n +orders +create\n/);
    expect(stdout).toContain('Nothing was deployed: this was a dry run.');
    expect(exitCode).toBe(0);
  });

  test('names the exports that one service misses, and deploys nothing', async () => {
    exports.add('millrace-dev:AlarmTopicArn');
    const { exitCode, stderr } = await runScript('deploy', '--endpoint', endpoint, '--service', 'orders');
    expect(stderr).toContain(
      'Nothing was deployed:\n' +
        '  orders: no stack exports millrace-dev:AnalyticsBusArn: deploy the service that does before, or with it\n' +
        '  orders: no stack exports millrace-dev:AnalyticsBusName: ',
    );
    expect(stderr).not.toContain('AlarmTopicArn');
    expect(exitCode).toBe(1);
  });

  describe('where another table is', () => {
    beforeEach(async () => {
      const { template } = await packaged('orders');
      const before: Template = JSON.parse(JSON.stringify(template));
      Object.assign(before.Resources?.Table?.Properties ?? {}, {
        KeySchema: [{ AttributeName: 'orderId', KeyType: 'HASH' }],
      });
      stacks.set('millrace-orders-dev', { template: before });
      for (const name of busExports) exports.add(`millrace-dev:${name}`);
    });

    test('refuses, and says which property would replace it', async () => {
      const { exitCode, stderr } = await runScript('deploy', '--endpoint', endpoint, '--service', 'orders');
      expect(stderr).toContain('Nothing was deployed: what these hold would be lost.');
      expect(stderr).toMatch(
        /orders: Table \(millrace-orders-dev\) is replaced: KeySchema changes from .*orderId.* to .*pk/,
      );
      expect(stderr).toContain('Save it, or say --confirm-replacement.');
      expect(exitCode).toBe(1);
    });

    test('goes on when that is confirmed', async () => {
      const args = ['--endpoint', endpoint, '--service', 'orders', '--confirm-replacement', '--dry-run'];
      const { exitCode, stdout, stderr } = await runScript('deploy', ...args);
      expect(stderr).toMatch(/What these hold is lost, as confirmed:\n +orders: Table/);
      expect(stdout).toContain('this was a dry run');
      expect(exitCode).toBe(0);
    });
  });

  test('says which service could not be deployed', async () => {
    const { exitCode, stdout, stderr } = await runScript('deploy', '--endpoint', endpoint, '--service', 'event-bus');
    expect(stdout).toMatch(/event-bus +create\n/);
    expect(stdout + stderr).toContain('event-bus | nothing may be changed, but somebody asked for CreateStack');
    expect(stderr).toContain('Not deployed: event-bus. What depends on them was not tried.');
    expect(exitCode).toBe(1);
  });

  test('leaves alone what has not changed, and needs nothing then', async () => {
    const { template, functions } = await packaged('event-bus');
    stacks.set('millrace-event-bus-dev', { template, hash: packageHash({ template, functions }) });
    const { exitCode, stdout } = await runScript(
      'deploy',
      '--endpoint',
      endpoint,
      '--service',
      'event-bus',
      '--only-changed',
    );
    expect(stdout).toMatch(/event-bus +leave, nothing has changed\nDeployed: nothing/);
    expect(exitCode).toBe(0);
  });
});

describe('npm run remove', () => {
  const busAndOrders = async () => {
    for (const name of ['event-bus', 'orders']) stacks.set(`millrace-${name}-dev`, await packaged(name));
  };

  test('has nothing to do where nothing is', async () => {
    const { exitCode, stdout } = await runScript('remove', '--endpoint', endpoint);
    expect(stdout).toContain('Nothing is deployed at stage dev, us-east-1.');
    expect(exitCode).toBe(0);
  });

  test('removes nothing unasked, and says what would go with it', async () => {
    await busAndOrders();
    const { exitCode, stdout, stderr } = await runScript('remove', '--endpoint', endpoint);
    expect(stdout).toMatch(
      /millrace-orders-dev\n +with what is in .*millrace-orders-dev,.*\n +millrace-event-bus-dev\n/,
    );
    expect(stderr).toContain('There is no terminal to ask on: confirm with --yes.\nNothing was removed.');
    expect(exitCode).toBe(1);
  });

  test('does not remove what others need', async () => {
    await busAndOrders();
    const { exitCode, stderr } = await runScript('remove', '--endpoint', endpoint, '--service', 'event-bus', '--yes');
    expect(stderr).toContain(
      'millrace-orders-dev imports millrace-dev:EventBusName, which millrace-event-bus-dev exports',
    );
    expect(exitCode).toBe(1);
  });
});
