import { describe, expect, test } from '@jest/globals';
import type { CfnResource } from './osls.ts';
import { checkTemplateLimits } from './template-limits.ts';

const check =
  (Resources: Record<string, CfnResource>, rest: object = {}) =>
  () =>
    checkTemplateLimits({ Resources, ...rest }, 2048);
const rule = (Properties: object) => ({ Rule: { Type: 'AWS::Events::Rule', Properties: { ...Properties } } });
const variables = (Variables: object) => ({
  Put: { Type: 'AWS::Lambda::Function', Properties: { Environment: { Variables } } },
});
const many = (length: number) => Object.fromEntries(Array.from({ length }, (_, index) => [`R${index}`, {}]));
const resources = (length: number) => many(length) as Record<string, CfnResource>;

describe('what AWS takes passes', () => {
  test.each([
    ['names that only the deployment knows', rule({ Name: { 'Fn::Sub': 'x'.repeat(100) } })],
    ['a long pattern', rule({ EventPattern: { source: ['x'.repeat(2033)] } })],
    ['five targets', rule({ Targets: [1, 2, 3, 4, 5] })],
    ['4 KB of variables', variables({ ABCD: 'x'.repeat(4087), TABLE: { Ref: 'Table' } })],
    ['a full stack', resources(500)],
  ])('%s', (_, Resources) => {
    expect(check(Resources as Record<string, CfnResource>)).not.toThrow();
  });
});

describe('what AWS refuses is an error', () => {
  test.each<[string, () => void, string, string]>([
    ['a rule', check(rule({ Name: 'x'.repeat(65) })), 'Resources.Rule.Properties.Name', 'has 65 characters'],
    [
      'a queue',
      check({ Jobs: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'x'.repeat(81) } } }),
      'Resources.Jobs.Properties.QueueName',
      'has 81 characters, but AWS allows 80',
    ],
    [
      'a log group',
      check({ Log: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: 'x'.repeat(513) } } }),
      'Resources.Log.Properties.LogGroupName',
      'has 513 characters, but AWS allows 512',
    ],
    [
      'a pattern as text',
      check(rule({ EventPattern: 'x'.repeat(2049) })),
      'Resources.Rule.Properties.EventPattern',
      'has 2049 characters, but AWS allows 2048',
    ],
    [
      'targets',
      check(rule({ Targets: [1, 2, 3, 4, 5, 6] })),
      'Resources.Rule.Properties.Targets',
      'has 6 targets, but AWS allows 5',
    ],
    [
      'variables',
      check(variables({ ABCD: 'x'.repeat(4093) })),
      'Resources.Put.Properties.Environment',
      'has 4097 bytes of variables, but AWS allows 4096',
    ],
    ['a stack', check(resources(501)), 'Resources', 'has 501 resources in a stack, but AWS allows 500'],
    ['outputs', check({}, { Outputs: many(201) }), 'Outputs', 'has 201 outputs in a stack, but AWS allows 200'],
  ])('%s', (_, run, key, message) => {
    expect(run).toThrow(expect.objectContaining({ key, message: expect.stringContaining(message) }));
  });
});
