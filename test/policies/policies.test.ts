import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Break, Target } from './breaks/break.ts';
import { breaks } from './breaks/index.ts';
import { type CompiledService, type CompiledWorkspace, readCompiledWorkspace } from './compiled-workspace.ts';
import { exceptionFor, violations } from './rule.ts';
import { rules } from './rules/index.ts';
import { judges } from './shape.ts';

/** Those of custom.consumers.stages. */
const stages = ['dev', 'staging', 'prod'];
const workspaces = new Map<string, CompiledWorkspace>();

function workspaceOf(stage: string): CompiledWorkspace {
  const workspace = workspaces.get(stage);
  if (!workspace) throw new Error(`${stage} was not packaged`);
  return workspace;
}

beforeAll(async () => {
  for (const stage of stages) workspaces.set(stage, await readCompiledWorkspace(stage));
});

describe.each(stages)('at %s every template fulfils', (stage) => {
  test.each(rules.map((rule) => [rule.name, rule] as const))('%s', (_, rule) => {
    expect(violations([rule], workspaceOf(stage))).toEqual([]);
  });
});

test('no exception is left over', () => {
  const { services } = workspaceOf('prod');
  for (const rule of rules) {
    const used = new Set(
      services.flatMap((service) =>
        rule.check(service, workspaceOf('prod')).map((finding) => exceptionFor(rule, service, finding)),
      ),
    );
    for (const exception of rule.exceptions ?? []) expect([rule.name, exception, used.has(exception)]).toContain(true);
  }
});

test('every rule has its own name and something that breaks it', () => {
  expect(Object.keys(breaks).sort()).toEqual(rules.map(({ name }) => name).sort());
  expect(Object.values(breaks).every((list) => list.length > 0)).toBe(true);
});

test('shapes leave values only to rules that exist', () => {
  const names = rules.map(({ name }) => name);
  expect([...judges].filter((name) => !names.includes(name))).toEqual([]);
});

const cases = rules.flatMap((rule) =>
  (breaks[rule.name] ?? []).map((each) => [rule.name, each.title, rule, each] as const),
);

describe('is found wherever it could be:', () => {
  test.each(cases)('%s: %s', (_name, _title, rule, { applies, change, says, names }) => {
    const workspace = workspaceOf('prod');
    let tried = 0;
    for (const service of workspace.services) {
      for (const id of Object.keys(service.template.Resources ?? {}).filter((each) =>
        matches(applies, service, each),
      )) {
        const broken = structuredClone(service);
        const target = targetIn(broken, id);
        const named = names?.(target) ?? id;
        change(target);
        tried += 1;

        const found = rule
          .check(broken, {
            ...workspace,
            services: workspace.services.map((each) => (each === service ? broken : each)),
          })
          .filter((finding) => exceptionFor(rule, broken, finding) === undefined);
        expect(found).toContainEqual({ resource: named, problem: expect.stringMatching(says) });
      }
    }
    expect(tried).toBeGreaterThan(0);
  });
});

function matches(applies: Break['applies'], service: CompiledService, id: string): boolean {
  const target = targetIn(service, id);
  return typeof applies === 'string' ? target.resource.Type === applies : applies(target);
}

function targetIn(service: CompiledService, id: string): Target {
  const resources = service.template.Resources ?? {};
  const resource = resources[id];
  if (!resource) throw new Error(`${service.name} has no resource ${id}`);
  resource.Properties ??= {};
  return { id, resource, properties: resource.Properties, resources, service };
}

test('a line names file, key, resource and rule', () => {
  const workspace = structuredClone(workspaceOf('prod'));
  const orders = workspace.services.find(({ name }) => name === 'orders');
  for (const [id, property] of [
    ['OnOrderProgressQueue', 'KmsMasterKeyId'],
    ['Table', 'SSESpecification'],
  ] as const) {
    delete orders?.template.Resources?.[id]?.Properties?.[property];
  }
  const why = '[encryption-at-rest: messages, rows and alarms are not to be read from a disk]';
  const encryption = rules.filter(({ name }) => name === 'encryption-at-rest');
  expect(violations(encryption, workspace)).toEqual([
    `services/orders/serverless.yml: functions.onOrderProgress: OnOrderProgressQueue: has no SqsManagedSseEnabled: true or KmsMasterKeyId ${why}`,
    `serverless.outbox.yml: resources.Table: has no SSESpecification.SSEEnabled: true ${why}`,
  ]);
});
