import type { TaskResource } from './definition/resource.ts';
import type { ScheduledTask, TaskOutcome } from './execution-state.ts';
import type { Json, JsonObject } from './json.ts';

/** Type and details of an event, before it has its number. */
export type EventDraft = readonly [type: string, details?: JsonObject];

/** A payload as events have it: text, and that nothing of it is cut off. */
export function payload(name: 'input' | 'output', text: string): JsonObject {
  return { [name]: text, [`${name}Details`]: { truncated: false } };
}

/** Leaves out what is not there. */
export function compact(details: Record<string, Json | undefined>): JsonObject {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)) as JsonObject;
}

/**
 * The events of a task: those of a function that is named by its ARN have types of their own.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
 */
export interface TaskEvents {
  scheduled(task: ScheduledTask, limits: { timeoutSeconds: number | undefined }, region: string): EventDraft;
  /** Undefined where a task has started only once it has been submitted. */
  started(): EventDraft | undefined;
  submitted(output: Json): EventDraft;
  succeeded(output: Json): EventDraft;
  failed(outcome: Extract<TaskOutcome, { cause: unknown }>): EventDraft;
  timedOut(error: string): EventDraft;
}

export function taskEvents(resource: TaskResource): TaskEvents {
  if (resource.kind === 'integration') return integrationEvents(resource);
  return resource.kind === 'activity' ? activityEvents(resource.arn) : functionEvents(resource.arn);
}

function functionEvents(arn: string): TaskEvents {
  const draft = (event: string, details: JsonObject): EventDraft => [
    `LambdaFunction${event}`,
    { [`lambdaFunction${event}EventDetails`]: details },
  ];
  return {
    scheduled: ({ parameters, heartbeatSeconds }, { timeoutSeconds }) =>
      draft('Scheduled', {
        resource: arn,
        ...payload('input', JSON.stringify(parameters)),
        ...compact({ timeoutInSeconds: timeoutSeconds, heartbeatInSeconds: heartbeatSeconds ?? undefined }),
      }),
    started: () => ['LambdaFunctionStarted'],
    submitted: () => ['LambdaFunctionStarted'],
    succeeded: (output) => draft('Succeeded', payload('output', JSON.stringify(output))),
    failed: ({ error, cause }) => draft('Failed', compact({ error, cause })),
    timedOut: (error) => draft('TimedOut', { error }),
  };
}

function activityEvents(arn: string): TaskEvents {
  const draft = (event: string, details: JsonObject): EventDraft => [
    `Activity${event}`,
    { [`activity${event}EventDetails`]: details },
  ];
  return {
    scheduled: ({ parameters, heartbeatSeconds }, { timeoutSeconds }) =>
      draft('Scheduled', {
        resource: arn,
        ...payload('input', JSON.stringify(parameters)),
        ...compact({ timeoutInSeconds: timeoutSeconds, heartbeatInSeconds: heartbeatSeconds ?? undefined }),
      }),
    started: () => undefined,
    submitted: (workerName) => draft('Started', workerName === null ? {} : { workerName }),
    succeeded: (output) => draft('Succeeded', payload('output', JSON.stringify(output))),
    failed: ({ error, cause }) => draft('Failed', compact({ error, cause })),
    timedOut: (error) => draft('TimedOut', { error }),
  };
}

function integrationEvents({ resourceType, resource }: Extract<TaskResource, { kind: 'integration' }>): TaskEvents {
  const draft = (event: string, details: JsonObject): EventDraft => [
    `Task${event}`,
    { [`task${event}EventDetails`]: { resourceType, resource, ...details } },
  ];
  return {
    scheduled: ({ parameters, heartbeatSeconds }, { timeoutSeconds }, region) =>
      draft('Scheduled', {
        region,
        parameters: JSON.stringify(parameters),
        ...compact({ timeoutInSeconds: timeoutSeconds, heartbeatInSeconds: heartbeatSeconds ?? undefined }),
      }),
    started: () => draft('Started', {}),
    submitted: (output) => draft('Submitted', payload('output', JSON.stringify(output))),
    succeeded: (output) => draft('Succeeded', payload('output', JSON.stringify(output))),
    failed: ({ error, cause }) => draft('Failed', compact({ error, cause })),
    timedOut: (error) => draft('TimedOut', { error }),
  };
}
