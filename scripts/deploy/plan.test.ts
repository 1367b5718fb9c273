import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type ComposedService, inWaves, selectServices } from './composition.ts';
import { packageHash } from './package-hash.ts';
import { type Candidate, type DeployedStack, planDeployment, removalProblems } from './plan.ts';

const bus: Candidate = {
  name: 'event-bus',
  stackName: 'millrace-event-bus-dev',
  template: { Outputs: { EventBusName: { Value: 'millrace-dev', Export: { Name: 'millrace-dev:EventBusName' } } } },
  packageHash: 'bus-1',
};
const orders: Candidate = {
  name: 'orders',
  stackName: 'millrace-orders-dev',
  template: {
    Resources: {
      Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q' } },
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: { EventBusName: { 'Fn::ImportValue': 'millrace-dev:EventBusName' } },
      },
    },
  },
  packageHash: 'orders-1',
};

function deployedAs(stacks: Array<[Candidate, Partial<DeployedStack>?]>, exports: string[] = []) {
  return {
    exports: new Set(exports),
    stacks: new Map(
      stacks.map(([{ stackName, template, packageHash: hash }, differences]) => [
        stackName,
        { status: 'UPDATE_COMPLETE', template, packageHash: hash, ...differences },
      ]),
    ),
  };
}

const actions = (...args: Parameters<typeof planDeployment>) =>
  planDeployment(...args).map(({ name, action }) => `${action} ${name}`);

describe('a deployment', () => {
  test('creates what is not there and updates what is', () => {
    expect(actions([bus, orders], deployedAs([[bus]]))).toEqual(['update event-bus', 'create orders']);
  });

  test('of what has changed leaves out what has not', () => {
    const deployed = deployedAs([[bus], [orders, { packageHash: 'orders-0' }]], ['millrace-dev:EventBusName']);
    expect(actions([bus, orders], deployed, { onlyChanged: true })).toEqual(['leave event-bus', 'update orders']);
    expect(actions([bus, orders], deployed)).toEqual(['update event-bus', 'update orders']);
  });

  test('of what has changed does not trust a stack that was deployed by other means, or rolled back', () => {
    for (const difference of [{ packageHash: undefined }, { status: 'UPDATE_ROLLBACK_COMPLETE' }]) {
      const deployed = deployedAs([[bus, difference]]);
      expect(actions([bus], deployed, { onlyChanged: true })).toEqual(['update event-bus']);
    }
  });

  test('names the exports that are missing, unless they come with it', () => {
    expect(planDeployment([orders], deployedAs([]))[0]?.problems).toEqual([
      'no stack exports millrace-dev:EventBusName: deploy the service that does before, or with it',
    ]);
    expect(planDeployment([orders], deployedAs([], ['millrace-dev:EventBusName']))[0]?.problems).toEqual([]);
    expect(planDeployment([bus, orders], deployedAs([]))[1]?.problems).toEqual([]);
    expect(planDeployment([orders, bus], deployedAs([]))[0]?.problems).toHaveLength(1);
  });

  test('tells what would be lost', () => {
    const template = { Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'old' } } } };
    const [plan] = planDeployment([orders], deployedAs([[orders, { template }]], ['millrace-dev:EventBusName']));
    expect(plan?.losses).toEqual([
      expect.objectContaining({ resource: 'Queue', cause: 'is replaced: QueueName changes from "old" to "q"' }),
    ]);
  });

  test.each([
    ['UPDATE_IN_PROGRESS', 'millrace-event-bus-dev is being changed by somebody: UPDATE_IN_PROGRESS'],
    ['ROLLBACK_COMPLETE', 'millrace-event-bus-dev is ROLLBACK_COMPLETE and takes no update: remove it first'],
    ['DELETE_FAILED', 'millrace-event-bus-dev is DELETE_FAILED and takes no update: remove it first'],
  ])('does not touch a stack that is %s', (status, problem) => {
    expect(planDeployment([bus], deployedAs([[bus, { status }]]))[0]?.problems).toEqual([problem]);
  });
});

describe('a removal', () => {
  const { stacks } = deployedAs([[bus], [orders]]);

  test('is refused while somebody imports what would go', () => {
    expect(removalProblems(['millrace-event-bus-dev'], stacks)).toEqual([
      'millrace-orders-dev imports millrace-dev:EventBusName, which millrace-event-bus-dev exports: remove it before, or with it',
    ]);
  });

  test('goes on when the importer goes too, or alone', () => {
    expect(removalProblems(['millrace-orders-dev', 'millrace-event-bus-dev'], stacks)).toEqual([]);
    expect(removalProblems(['millrace-orders-dev'], stacks)).toEqual([]);
  });
});

describe('the order', () => {
  const service = (name: string, ...dependsOn: string[]): ComposedService => ({
    name,
    directory: `/${name}`,
    dependsOn,
  });
  const names = (waves: ComposedService[][]) => waves.map((wave) => wave.map(({ name }) => name));

  test('puts a service behind those it depends on, and the others beside each other', () => {
    const waves = inWaves([
      service('web', 'shop', 'bus'),
      service('shop', 'bus'),
      service('bus'),
      service('mail', 'bus'),
    ]);
    expect(names(waves)).toEqual([['bus'], ['shop', 'mail'], ['web']]);
    expect(names(selectServices(waves, ['web', 'bus']))).toEqual([['bus'], ['web']]);
    expect(names(selectServices(waves, []))).toEqual(names(waves));
  });

  test('does not accept a circle, a stranger or an unknown service', () => {
    expect(() => inWaves([service('a', 'b'), service('b', 'a'), service('c')])).toThrow(
      'serverless-compose.yml: a, b depend on each other',
    );
    expect(() => inWaves([service('a', 'x')])).toThrow('serverless-compose.yml: a depends on x, which is not listed');
    expect(() => selectServices([[service('a')]], ['x'])).toThrow('--service must be one of a, not "x"');
  });
});

describe('the hash of a package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-package-hash-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const hashOf = (memory: number, key: string, code: string) => {
    writeFileSync(join(folder, 'handler.cjs'), code);
    const Properties = { MemorySize: memory, Code: { S3Key: key } };
    return packageHash({
      template: { Resources: { Handler: { Type: 'AWS::Lambda::Function', Properties } } },
      functions: new Map([['handler', { codeDirectory: folder }]]),
    });
  };

  test('changes with the template and the code, and not with the place of the code in S3', () => {
    const first = hashOf(512, '2026-01-01/code.zip', 'one');
    expect(hashOf(512, '2026-01-02/code.zip', 'one')).toBe(first);
    expect(hashOf(1024, '2026-01-01/code.zip', 'one')).not.toBe(first);
    expect(hashOf(512, '2026-01-01/code.zip', 'two')).not.toBe(first);
  });
});
