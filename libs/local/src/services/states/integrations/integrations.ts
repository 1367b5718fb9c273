import { createHash, randomUUID } from 'node:crypto';
import { compact, isObject, type Json, type JsonObject, type TaskResource } from '@millrace/states-language';
import { AwsError } from '../../../core/aws-error.ts';
import type { RoleCall } from '../../../core/service.ts';
import type { Activities } from '../activities/activities.ts';
import type { TaskOutcome } from '../engine/execution-state.ts';
import { type TaskCall, TaskError, type TaskRunner } from '../execution/live-execution.ts';
import { type InvokeFunction, invokeByIntegration, invokeFunction } from './lambda.ts';
import { outcomeOfExecution } from './nested-execution.ts';
import { taskErrorOf } from './service-errors.ts';

type Integration = Extract<TaskResource, { kind: 'integration' }>;

export interface IntegrationsOptions {
  /** Calls an operation of a service of this cloud with the permissions of a role. @throws AwsError */
  readonly call: (call: RoleCall) => Promise<unknown>;
  /** Calls a function with the permissions of a role. @throws AwsError */
  readonly invoke: InvokeFunction;
  readonly activities: Pick<Activities, 'offer' | 'withdraw'>;
  /** Resolves when an execution has ended. */
  readonly waitForExecution: (executionArn: string) => Promise<unknown>;
  /** What StartExecution has answered for an execution; undefined if there is no such execution. */
  readonly findExecution: (machineArn: string, name: string) => JsonObject | undefined;
}

/** What answers of optimized integrations have beside the API's own members. */
function withMetadata(answer: JsonObject, requestId: string, status = 200): JsonObject {
  return {
    ...answer,
    SdkHttpMetadata: { AllHttpHeaders: {}, HttpHeaders: {}, HttpStatusCode: status },
    SdkResponseMetadata: { RequestId: requestId },
  };
}

/**
 * Calls functions and services of this cloud for tasks, as the service integrations of Step Functions do.
 * https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
 */
export class Integrations implements TaskRunner {
  readonly #options: IntegrationsOptions;

  constructor(options: IntegrationsOptions) {
    this.#options = options;
  }

  async request(call: TaskCall): Promise<Json> {
    const { resource, parameters, execution } = call;
    const identity = { roleArn: execution.roleArn, sourceArn: execution.machineArn };
    if (resource.kind === 'function') return invokeFunction(this.#options.invoke, resource.arn, parameters, identity);
    if (resource.kind === 'activity') return this.#offer(call, resource.arn);
    const requestId = randomUUID();
    try {
      if (resource.service === 'lambda' && resource.operation === 'Invoke') {
        const answer = await invokeByIntegration(this.#options.invoke, parameters, identity, resource.isSdk);
        return resource.isSdk ? answer : withMetadata(answer, requestId, Number(answer.StatusCode));
      }
      const input = inputOf(call, resource);
      const answer = ((await this.#call({
        service: resource.service,
        operation: resource.operation,
        input,
        ...identity,
      })) ?? {}) as JsonObject;
      if (resource.isSdk) return outputOfSdk(resource.service, answer);
      checkAnswer(resource, answer);
      return withMetadata(outputOf(resource, answer), requestId);
    } catch (error) {
      if (error instanceof TaskError) throw error;
      throw taskErrorOf(error, resource, requestId);
    }
  }

  /** @returns the name of the worker that has taken the task */
  async #offer({ token, parameters }: TaskCall, arn: string): Promise<Json> {
    try {
      return (await this.#options.activities.offer(arn, token ?? '', JSON.stringify(parameters))) ?? null;
    } catch (error) {
      throw new TaskError('States.TaskFailed', error instanceof Error ? error.message : String(error));
    }
  }

  /** Sent again after a crash, a request finds the execution that the first one has started, also when it has ended. */
  async #call(call: RoleCall): Promise<unknown> {
    try {
      return await this.#options.call(call);
    } catch (error) {
      const { stateMachineArn, name } = call.input;
      const isStarted =
        error instanceof AwsError && error.code === 'ExecutionAlreadyExists' && NAMES_OF_TASKS.test(String(name));
      const started = isStarted ? this.#options.findExecution(String(stateMachineArn), String(name)) : undefined;
      if (!started) throw error;
      return started;
    }
  }

  async outcome({ resource, execution }: TaskCall, submitted: Json): Promise<TaskOutcome> {
    if (resource.kind !== 'integration')
      throw new TaskError('States.TaskFailed', `${resource.arn} cannot be waited for`);
    const executionArn = startedBy(submitted);
    await this.#options.waitForExecution(executionArn);
    const identity = { roleArn: execution.roleArn, sourceArn: execution.machineArn };
    const call = { service: 'states', operation: 'DescribeExecution', input: { executionArn }, ...identity };
    try {
      const description = (await this.#options.call(call)) as JsonObject;
      return outcomeOfExecution(description, resource.pattern === 'sync:2');
    } catch (error) {
      throw taskErrorOf(error, resource, randomUUID());
    }
  }

  cancel({ resource, execution, token }: TaskCall, submitted: Json | undefined): void {
    if (resource.kind === 'activity' && token !== null) this.#options.activities.withdraw(resource.arn, token);
    if (submitted === undefined || resource.kind !== 'integration' || !resource.pattern.startsWith('sync')) return;
    const input = { executionArn: startedBy(submitted) };
    const identity = { roleArn: execution.roleArn, sourceArn: execution.machineArn };
    // The task is over already: that its execution could not be stopped changes nothing.
    this.#options.call({ service: 'states', operation: 'StopExecution', input, ...identity }).catch(() => {});
  }
}

function startedBy(submitted: Json): string {
  return isObject(submitted) ? String(submitted.ExecutionArn) : '';
}

/** The members that JSON may be given for where the API takes text. */
const textMembers: Readonly<Record<string, readonly string[]>> = {
  'sqs:SendMessage': ['MessageBody'],
  'sns:Publish': ['Message'],
  'states:StartExecution': ['Input'],
  'states:StartSyncExecution': ['Input'],
  'states:SendTaskSuccess': ['Output'],
};

/** Services whose API has members that begin with a small letter; in states they begin with a capital. */
const camelCased = new Set(['states', 'logs']);

/** The input of the API's operation. */
function inputOf(call: TaskCall, { service, operation, isSdk }: Integration): JsonObject {
  const given = withoutNulls(isObject(call.parameters) ? call.parameters : {});
  for (const member of textMembers[`${service}:${operation}`] ?? []) {
    if (given[member] !== undefined && typeof given[member] !== 'string') given[member] = JSON.stringify(given[member]);
  }
  if (service === 'events' && operation === 'PutEvents') given.Entries = entriesOf(call, given.Entries ?? null, isSdk);
  if (service === 'states' && operation === 'StartExecution') {
    delete given.AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID;
    // The same request sent again after a crash finds the execution that the first one has started.
    given.Name ??= nameFor(call);
  }
  return camelCased.has(service)
    ? (recased(given, (name) => name.charAt(0).toLowerCase() + name.slice(1)) as JsonObject)
    : given;
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

/** Details may be JSON. An optimized integration adds the execution and its machine to the resources. */
function entriesOf({ execution }: TaskCall, entries: Json, isSdk: boolean): Json {
  if (!Array.isArray(entries)) return entries;
  return entries.map((entry) => {
    if (!isObject(entry)) return entry;
    const Detail =
      entry.Detail === undefined || typeof entry.Detail === 'string' ? entry.Detail : JSON.stringify(entry.Detail);
    const own = Array.isArray(entry.Resources) ? entry.Resources : [];
    const Resources = isSdk ? entry.Resources : [...own, execution.arn, execution.machineArn];
    return compact({ ...entry, Detail, Resources });
  });
}

/** Names that tasks give the executions that they start. */
const NAMES_OF_TASKS = /^task-[0-9a-f]{32}$/;

/** The same for the same attempt of a task, and for no other. */
function nameFor({ execution, thread, attempt }: TaskCall): string {
  const hash = createHash('sha256').update(JSON.stringify([execution.arn, thread.id, attempt]));
  return `task-${hash.digest('hex').slice(0, 32)}`;
}

/** @throws TaskError for an answer that tells of a failure */
function checkAnswer({ service, operation }: Integration, answer: JsonObject): void {
  if (service === 'events' && operation === 'PutEvents' && Number(answer.FailedEntryCount) > 0) {
    throw new TaskError('EventBridge.FailedEntry', JSON.stringify(answer));
  }
}

function outputOf({ service }: Integration, answer: JsonObject): JsonObject {
  if (service !== 'states') return answer;
  return compact({
    ExecutionArn: answer.executionArn,
    StartDate: Math.round(Number(answer.startDate) * 1000),
  });
}

/** Members begin with a capital letter, times are text. */
function outputOfSdk(service: string, answer: JsonObject): JsonObject {
  if (!camelCased.has(service)) return answer;
  return recased(
    answer,
    (name) => name.charAt(0).toUpperCase() + name.slice(1),
    (name, value) =>
      typeof value === 'number' && name.endsWith('Date') ? new Date(value * 1000).toISOString() : value,
  ) as JsonObject;
}

function recased(
  value: Json,
  rename: (name: string) => string,
  convert: (name: string, value: Json) => Json = (_, member) => member,
): Json {
  if (Array.isArray(value)) return value.map((item) => recased(item, rename, convert));
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(
    ([name, member]) => [rename(name), recased(convert(name, member), rename, convert)] as const,
  );
  return Object.fromEntries(members);
}
