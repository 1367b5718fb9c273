import type { Json } from '@millrace/states-language';
import type { Input } from '../../../core/access.ts';
import { AwsError } from '../../../core/aws-error.ts';
import { checkInput, flag, list, oneOf, required, type Shape, structure, text, whole } from '../../../core/shapes.ts';
import { executionQuotas } from '../engine/execution-state.ts';

const arn = text({ min: 1, max: 2000 });
const data = text({ max: executionQuotas.payloadBytes });
const definition = text({ min: 1, max: 1_048_576 });
const page = { maxResults: whole({ min: 0, max: 1000 }), nextToken: text({ min: 1, max: 1024 }) };
const token = required(text({ min: 1, max: 2048 }));
const failure = { error: text({ max: 256 }), cause: text({ max: 32_768 }) };
const type = oneOf('STANDARD', 'EXPRESS');
const tags = list(structure({ key: text({ max: 128 }), value: text({ max: 256 }) }));
const machine = { stateMachineArn: required(arn) };
const execution = { executionArn: required(arn) };
const routes = list(
  structure({ stateMachineVersionArn: required(arn), weight: required(whole({ min: 0, max: 100 })) }),
  { min: 1, max: 2 },
);

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html */
export const inputs: Readonly<Record<string, Shape>> = {
  CreateStateMachine: structure({
    ...{ name: required(text({ min: 1 })), definition: required(definition), roleArn: required(arn), type, tags },
    ...{ publish: flag(), versionDescription: text({ max: 256 }) },
  }),
  UpdateStateMachine: structure({
    ...machine,
    definition,
    roleArn: arn,
    publish: flag(),
    versionDescription: text({ max: 256 }),
  }),
  DeleteStateMachine: structure(machine),
  DescribeStateMachine: structure(machine),
  DescribeStateMachineForExecution: structure(execution),
  ListStateMachines: structure(page),
  ValidateStateMachineDefinition: structure({
    ...{
      definition: required(definition),
      type,
      severity: oneOf('ERROR', 'WARNING'),
      maxResults: whole({ min: 0, max: 100 }),
    },
  }),
  PublishStateMachineVersion: structure({ ...machine, revisionId: text(), description: text({ max: 256 }) }),
  DeleteStateMachineVersion: structure({ stateMachineVersionArn: required(arn) }),
  ListStateMachineVersions: structure({ ...machine, ...page }),
  CreateStateMachineAlias: structure({
    name: required(text({ min: 1, max: 80 })),
    description: text({ max: 256 }),
    routingConfiguration: required(routes),
  }),
  UpdateStateMachineAlias: structure({
    stateMachineAliasArn: required(arn),
    description: text({ max: 256 }),
    routingConfiguration: routes,
  }),
  DescribeStateMachineAlias: structure({ stateMachineAliasArn: required(arn) }),
  DeleteStateMachineAlias: structure({ stateMachineAliasArn: required(arn) }),
  ListStateMachineAliases: structure({ ...machine, ...page }),
  StartExecution: structure({ ...machine, name: text({ min: 1 }), input: data, traceHeader: text({ max: 256 }) }),
  StartSyncExecution: structure({ ...machine, name: text({ min: 1 }), input: data, traceHeader: text({ max: 256 }) }),
  StopExecution: structure({ ...execution, ...failure }),
  RedriveExecution: structure({ ...execution, clientToken: text({ min: 1, max: 64 }) }),
  DescribeExecution: structure(execution),
  ListExecutions: structure({
    ...{ stateMachineArn: arn, mapRunArn: arn, ...page, redriveFilter: oneOf('REDRIVEN', 'NOT_REDRIVEN') },
    statusFilter: oneOf('RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'),
  }),
  GetExecutionHistory: structure({ ...execution, ...page, reverseOrder: flag(), includeExecutionData: flag() }),
  SendTaskSuccess: structure({ taskToken: token, output: required(data) }),
  SendTaskFailure: structure({ taskToken: token, ...failure }),
  SendTaskHeartbeat: structure({ taskToken: token }),
  CreateActivity: structure({ name: required(text({ min: 1 })), tags }),
  DeleteActivity: structure({ activityArn: required(arn) }),
  DescribeActivity: structure({ activityArn: required(arn) }),
  ListActivities: structure(page),
  GetActivityTask: structure({ activityArn: required(arn), workerName: text({ min: 1, max: 80 }) }),
  TagResource: structure({ resourceArn: required(arn), tags: required(tags) }),
  UntagResource: structure({ resourceArn: required(arn), tagKeys: required(list(text({ max: 128 }))) }),
  ListTagsForResource: structure({ resourceArn: required(arn) }),
};

/**
 * Checks the input of an operation.
 * @throws AwsError ValidationException
 */
export function checkStatesInput(operation: string, input: Input): void {
  const shape = inputs[operation];
  if (shape) checkInput(shape, input);
}

/** A member that is text, or not there. */
export function textOf(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * Reads data that are JSON as text.
 * @param code of the error for anything else
 * @throws AwsError
 */
export function parseData(value: string, code: 'InvalidExecutionInput' | 'InvalidOutput', what: string): Json {
  try {
    const parsed = JSON.parse(value) as Json;
    if (Buffer.byteLength(value) <= executionQuotas.payloadBytes) return parsed;
  } catch (error) {
    throw new AwsError(
      code,
      `Invalid State Machine Execution ${what}: '${error instanceof Error ? error.message : error}'`,
    );
  }
  throw new AwsError(
    code,
    `Invalid State Machine Execution ${what}: 'it has more than ${executionQuotas.payloadBytes} bytes'`,
  );
}

/** A time as the API has it: seconds since the epoch. */
export function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}

/** Leaves out what is not there. */
export function given(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null));
}

/** A request that is not what the operation takes. */
export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** Tags by their keys. */
export function tagsOf(tags: unknown): Record<string, string> {
  const entries = (tags ?? []) as { key: string; value: string }[];
  return Object.fromEntries(entries.map(({ key, value }) => [key, value ?? '']));
}
