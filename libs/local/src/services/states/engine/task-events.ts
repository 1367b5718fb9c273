import { compact, type Json, type JsonObject, type TaskResource } from '@millrace/states-language';
import type { ScheduledTask, TaskOutcome } from './execution-state.ts';

/** Type and details of an event, before it has its number. */
export type EventDraft = readonly [type: string, details?: JsonObject];

/** A payload as events have it: text, and that nothing of it is cut off. */
export function payload(name: 'input' | 'output', text: string): JsonObject {
  return { [name]: text, [`${name}Details`]: { truncated: false } };
}

interface TaskLimits {
  readonly timeoutSeconds: number | undefined;
}

/**
 * The events of a task: those of a function that is named by its ARN have types of their own.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
 */
export interface TaskEvents {
  scheduled(task: ScheduledTask, limits: TaskLimits, region: string): EventDraft;
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

/** Makes the events of a kind of task. */
type EventWriter = (event: string, details: JsonObject) => EventDraft;

/** @param own details that all events of the kind have */
function eventWriter(kind: 'LambdaFunction' | 'Activity' | 'Task', own: JsonObject = {}): EventWriter {
  const member = kind.charAt(0).toLowerCase() + kind.slice(1);
  return (event, details) => [`${kind}${event}`, { [`${member}${event}EventDetails`]: { ...own, ...details } }];
}

function functionEvents(arn: string): TaskEvents {
  const write = eventWriter('LambdaFunction');
  return {
    scheduled: scheduledByArn(write, arn),
    started: () => ['LambdaFunctionStarted'],
    submitted: () => ['LambdaFunctionStarted'],
    ...endings(write),
  };
}

function activityEvents(arn: string): TaskEvents {
  const write = eventWriter('Activity');
  return {
    scheduled: scheduledByArn(write, arn),
    started: () => undefined,
    submitted: (workerName) => write('Started', workerName === null ? {} : { workerName }),
    ...endings(write),
  };
}

/** Functions and activities are scheduled by their ARN. */
function scheduledByArn(write: EventWriter, resource: string): TaskEvents['scheduled'] {
  return (task, limits) => {
    const input = payload('input', JSON.stringify(task.parameters));
    return write('Scheduled', { resource, ...input, ...limitsOf(task, limits) });
  };
}

function integrationEvents({ resourceType, resource }: Extract<TaskResource, { kind: 'integration' }>): TaskEvents {
  const write = eventWriter('Task', { resourceType, resource });
  return {
    scheduled: (task, limits, region) =>
      write('Scheduled', { region, parameters: JSON.stringify(task.parameters), ...limitsOf(task, limits) }),
    started: () => write('Started', {}),
    submitted: (output) => write('Submitted', payload('output', JSON.stringify(output))),
    ...endings(write),
  };
}

/** The limits that a task has. */
function limitsOf({ heartbeatSeconds }: ScheduledTask, { timeoutSeconds }: TaskLimits): JsonObject {
  return compact({ timeoutInSeconds: timeoutSeconds, heartbeatInSeconds: heartbeatSeconds ?? undefined });
}

/** Tasks of all kinds end the same way. */
function endings(write: EventWriter): Pick<TaskEvents, 'succeeded' | 'failed' | 'timedOut'> {
  return {
    succeeded: (output) => write('Succeeded', payload('output', JSON.stringify(output))),
    failed: ({ error, cause }) => write('Failed', compact({ error, cause })),
    timedOut: (error) => write('TimedOut', { error }),
  };
}
