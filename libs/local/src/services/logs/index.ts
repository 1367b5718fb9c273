import type { Stack } from '@millrace/cloudformation';
import { forEachResource } from '../../core/deploy.ts';
import { expendable } from '../../core/expendable.ts';
import { type AwsService, apiOf, type Host, type RunningService } from '../../core/service.ts';
import { cloudWatch } from '../cloudwatch/index.ts';
import { logsAccess } from './access.ts';
import { logsApi } from './api.ts';
import { FunctionLogs } from './function-logs.ts';
import { LogEvents } from './log-events.ts';
import { LogGroups } from './log-groups.ts';
import { LogStore } from './log-store.ts';
import { logsResourceTypes } from './resource-types.ts';

export type { FunctionLine, FunctionLogs } from './function-logs.ts';

const HOUR_MS = 3_600_000;

/** CloudWatch Logs. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/WhatIsCloudWatchLogs.html */
export const logs: AwsService<FunctionLogs> = {
  name: 'logs',
  protocols: ['json'],
  targets: ['Logs_20140328'],
  resourceTypes: logsResourceTypes,
  access: logsAccess,
  start: startLogs,
};

async function startLogs(host: Host): Promise<RunningService<FunctionLogs>> {
  const { region, accountId, clock, dataDirectory } = host;
  const { readEvents } = host.handleOf(cloudWatch);
  const store = new LogStore(dataDirectory);
  const groups = new LogGroups(store, { region, accountId, clock });
  const events = new LogEvents(store, groups, { clock, onEvents: (_group, stored) => readEvents(stored) });
  const functionLogs = new FunctionLogs(store, events, clock, host.warn);
  const remove = expendable('Expired log events stay for another hour', host.warn, () => store.expire(clock.now()));
  const expire = (): void => {
    remove();
    timer = clock.setTimer(clock.now() + HOUR_MS, expire);
  };
  let timer = clock.setTimer(clock.now(), expire);
  const api = apiOf('CloudWatch Logs', logsApi(groups, events));
  return {
    handle: functionLogs,
    api: (call) => {
      functionLogs.flush();
      return api(call);
    },
    activate: (stacks) => deploy(stacks, store, groups),
    console: () => {
      functionLogs.flush();
      return store
        .groups()
        .map(({ name, retentionInDays }) => ({ name, retentionInDays, bytes: store.storedBytes(name) }));
    },
    [Symbol.asyncDispose]: async () => {
      timer.cancel();
      functionLogs.flush();
      store.close();
    },
  };
}

/** Declares the templates' groups with their streams, and removes the groups of an earlier start that are not declared any more. */
function deploy(stacks: readonly Stack[], store: LogStore, groups: LogGroups): void {
  const kept = new Set<string>();
  forEachResource(stacks, 'AWS::Logs::LogGroup', ({ name, properties }) => {
    groups.declare(name, properties);
    kept.add(name);
  });
  forEachResource(stacks, 'AWS::Logs::LogStream', ({ name, properties }) => {
    const group = { logGroupName: properties.LogGroupName };
    if (!store.stream(groups.require(group).name, name)) groups.createStream({ ...group, logStreamName: name });
  });
  for (const { name, isDeclared } of store.groups()) if (isDeclared && !kept.has(name)) store.deleteGroup(name);
}
