import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { loadStacks, type Stack } from '@millrace/cloudformation';
import { findWorkspaceRoot, serviceDirectories } from '@millrace/workspace/catalogue';
import { compileTemplates } from '@millrace/workspace/packaging';
import type { ResourceType } from '../../core/service.ts';
import { services } from '../index.ts';
import { inertResourceTypes } from '../inert-types.ts';
import { readAlarm } from './alarm-definition.ts';

const root = findWorkspaceRoot(import.meta.dirname);
const resourceTypes: Record<string, ResourceType> = Object.assign(
  {},
  inertResourceTypes,
  ...services.map((service) => service.resourceTypes),
);
const reports = (namespace: string, name: string): boolean =>
  services.some(({ metrics }) => metrics?.[namespace]?.includes(name));

/** The stacks of the repository's services, with attributes of resources as if they had been created. */
async function workspaceStacks(): Promise<readonly Stack[]> {
  const compiled = await compileTemplates({
    directories: serviceDirectories(root),
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
  });
  const place = { accountId: '000000000000', region: 'us-east-1', awsUrl: 'http://127.0.0.1:4566' };
  const { stacks } = loadStacks(compiled, { ...place, resourceTypes });
  for (const stack of stacks) {
    for (const { logicalId } of stack.resourcesOfType('AWS::DynamoDB::Table')) {
      stack.setAttribute(logicalId, 'StreamArn', 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/label');
    }
  }
  return stacks;
}

it('every alarm of the templates has its metrics on this machine', async () => {
  const alarms = (await workspaceStacks()).flatMap((stack) =>
    stack.resourcesOfType('AWS::CloudWatch::Alarm').map(({ logicalId, name }) => {
      try {
        return {
          name,
          inputs: readAlarm(stack.properties(logicalId), { periodSeconds: undefined, reports }).inputs.size,
        };
      } catch (error) {
        return { name, inputs: 0, problem: (error as Error).message };
      }
    }),
  );
  expect(alarms.length).toBeGreaterThan(50);
  expect(alarms.filter(({ inputs }) => inputs === 0)).toEqual([]);
});
