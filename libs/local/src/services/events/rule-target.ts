import {
  compileInputTransformer,
  compileJsonPath,
  type InputTransformer,
  jsonText,
  parseJson,
  type TargetInput,
} from '@millrace/event-pattern';
import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import type { HttpTargetParameters } from '../../core/delivery.ts';
import type { BusEvent } from './bus-event.ts';
import {
  type Input,
  optionalInteger,
  optionalString,
  optionalStructure,
  requiredString,
} from './request-parameters.ts';

/**
 * A target of a rule: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
 * The parameters of services named nowhere here are kept and listed as they came.
 */
export interface RuleTarget {
  readonly Id: string;
  readonly Arn: string;
  readonly RoleArn?: string;
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: InputTransformer;
  readonly RetryPolicy?: { readonly MaximumRetryAttempts?: number; readonly MaximumEventAgeInSeconds?: number };
  readonly DeadLetterConfig?: { readonly Arn?: string };
  /** A JSON path (`$.detail.orderId`) has become the event's value by the time the target is delivered to. */
  readonly SqsParameters?: { readonly MessageGroupId?: string };
  /** As has the path here. Without it the key is the event's id. */
  readonly KinesisParameters?: { readonly PartitionKeyPath?: string };
  /** As are their values. */
  readonly HttpParameters?: HttpTargetParameters;
}

/** A target made ready for delivery. */
export interface CompiledTarget {
  readonly target: RuleTarget;
  readonly input: TargetInput;
  /** The target for one event: dynamic parameters are filled in. Throws where the event has no value for one. */
  readonly resolve: (event: BusEvent) => RuleTarget;
}

const maximumInputLength = 8192;
const inputParameters = ['Input', 'InputPath', 'InputTransformer'];

/**
 * Services that EventBridge calls with a role only; others let it in by their policies.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-iam-roles.html
 */
const servicesByRole = new Set([
  ...['batch', 'codebuild', 'codepipeline', 'ec2', 'ecs', 'firehose', 'kinesis', 'redshift', 'redshift-serverless'],
  ...['sagemaker', 'ssm', 'ssm-incidents', 'states'],
]);

/** True for the ARN of an API destination. */
export function isApiDestination(arn: string): boolean {
  return /^arn:[^:]+:events:[^:]*:[^:]*:api-destination\/.+$/.test(arn);
}

/** True for the ARN of an event bus. */
export function isEventBus(arn: string): boolean {
  return /^arn:[^:]+:events:[^:]*:[^:]*:event-bus\/.+$/.test(arn);
}

/**
 * Checks one entry of PutTargets and compiles its input.
 * @throws AwsError ValidationException.
 */
export function compileTarget(entry: Input): CompiledTarget {
  const id = requiredString(entry, 'Id', {
    maximumLength: eventBridgeLimits.targetIdLength,
    pattern: /^[.\-_A-Za-z0-9]+$/,
  });
  const arn = requiredString(entry, 'Arn', { maximumLength: 1600 });
  if (!/^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$/.test(arn)) {
    throw invalid(`Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`);
  }
  if (needsRole(arn) && optionalString(entry, 'RoleArn', { maximumLength: 1600 }) === undefined) {
    throw invalid(`RoleArn is required for target ${arn}.`);
  }
  if (isEventBus(arn) && inputParameters.some((name) => (entry[name] ?? undefined) !== undefined)) {
    throw invalid(`Modifying the input for target ${id} is not supported.`);
  }
  const retryPolicy = optionalStructure(entry, 'RetryPolicy') ?? {};
  optionalInteger(retryPolicy, 'MaximumRetryAttempts', 0, eventBridgeLimits.retryAttempts);
  optionalInteger(retryPolicy, 'MaximumEventAgeInSeconds', 60, eventBridgeLimits.retryAge);
  const deadLetterArn = optionalString(optionalStructure(entry, 'DeadLetterConfig') ?? {}, 'Arn', {
    maximumLength: 1600,
  });
  if (deadLetterArn !== undefined) checkDeadLetterQueue(deadLetterArn);
  const groupId = optionalString(optionalStructure(entry, 'SqsParameters') ?? {}, 'MessageGroupId', {
    maximumLength: eventBridgeLimits.messageGroupIdLength,
  });
  if (groupId === undefined && /^arn:[^:]+:sqs:.+\.fifo$/.test(arn)) {
    throw invalid(`Parameter(s) SqsParameters must be specified for target: ${id}.`);
  }
  optionalString(optionalStructure(entry, 'KinesisParameters') ?? {}, 'PartitionKeyPath', { maximumLength: 256 });
  checkHttpParameters(optionalStructure(entry, 'HttpParameters') ?? {});
  const target: RuleTarget = { ...entry, Id: id, Arn: arn };
  try {
    return { target, input: compileInput(entry), resolve: compileParameters(target) };
  } catch (error) {
    if (error instanceof AwsError) throw error;
    throw invalid(`Invalid input for target ${id}. Reason: ${error instanceof Error ? error.message : error}`);
  }
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html: standard queues alone */
function checkDeadLetterQueue(arn: string): void {
  const reason = !/^arn:[^:]+:sqs:[^:]+:[^:]+:[^:]+$/.test(arn)
    ? 'The dead-letter queue must be an SQS queue'
    : arn.endsWith('.fifo')
      ? 'The dead-letter queue must be a standard queue, not a FIFO queue'
      : undefined;
  if (reason !== undefined) throw invalid(`Parameter ${arn} is not valid. Reason: ${reason}.`);
}

function needsRole(arn: string): boolean {
  return servicesByRole.has(arn.split(':')[2] ?? '') || isApiDestination(arn);
}

function compileInput(entry: Input): TargetInput {
  const constant = optionalString(entry, 'Input', { maximumLength: maximumInputLength });
  const path = optionalString(entry, 'InputPath', { maximumLength: 256 });
  const transformer = optionalStructure(entry, 'InputTransformer');
  if ([constant, path, transformer].filter((choice) => choice !== undefined).length > 1) {
    throw new Error('Only one of Input, InputPath, or InputTransformer must be provided');
  }
  if (constant !== undefined) {
    parseJson(constant);
    return () => constant;
  }
  if (path !== undefined) {
    const read = compileJsonPath(path);
    return (event) => jsonText(read(event.document) ?? null);
  }
  return transformer ? compileInputTransformer(readTransformer(transformer)) : (event) => event.text;
}

function readTransformer(transformer: Input): InputTransformer {
  const paths = optionalStructure(transformer, 'InputPathsMap') ?? {};
  return {
    InputPathsMap: Object.fromEntries(Object.keys(paths).map((name) => [name, requiredString(paths, name)])),
    InputTemplate: requiredString(transformer, 'InputTemplate'),
  };
}

/**
 * Fills in the parameters that are paths into the event.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html#dynamic-path-parameters
 */
function compileParameters(target: RuleTarget): CompiledTarget['resolve'] {
  const { Arn, SqsParameters, HttpParameters, KinesisParameters } = target;
  const group = SqsParameters?.MessageGroupId;
  const groupOf = group === undefined ? undefined : compileText(group, 'MessageGroupId');
  const httpOf = HttpParameters && compileHttpParameters(HttpParameters);
  const keyOf = /^arn:[^:]+:kinesis:/.test(Arn) ? compilePartitionKey(KinesisParameters?.PartitionKeyPath) : undefined;
  if (!groupOf && !httpOf && !keyOf) return () => target;
  return (event) => ({
    ...target,
    ...(groupOf && { SqsParameters: { MessageGroupId: groupOf(event) } }),
    ...(httpOf && { HttpParameters: httpOf(event) }),
    ...(keyOf && { KinesisParameters: { PartitionKeyPath: keyOf(event) } }),
  });
}

type TextOf = (event: BusEvent) => string;

function compileHttpParameters(parameters: HttpTargetParameters): (event: BusEvent) => HttpTargetParameters {
  const { PathParameterValues = [], HeaderParameters = {}, QueryStringParameters = {} } = parameters;
  const paths = PathParameterValues.map((value) => compileText(value, 'PathParameterValues'));
  const compileMap = (map: Readonly<Record<string, string>>) =>
    Object.entries(map).map(([name, value]): [string, TextOf] => [name, compileText(value, name)]);
  const headers = compileMap(HeaderParameters);
  const query = compileMap(QueryStringParameters);
  const filled = (map: [string, TextOf][], event: BusEvent) =>
    Object.fromEntries(map.map(([name, textOf]) => [name, textOf(event)]));
  return (event) => ({
    PathParameterValues: paths.map((textOf) => textOf(event)),
    HeaderParameters: filled(headers, event),
    QueryStringParameters: filled(query, event),
  });
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_KinesisParameters.html */
function compilePartitionKey(path: string | undefined): TextOf {
  return path === undefined ? (event) => event.id : compileText(path, 'PartitionKeyPath');
}

/** A text, or what is in the event where the text is a path. */
function compileText(text: string, name: string): TextOf {
  if (!text.startsWith('$')) return () => text;
  const read = compileJsonPath(text);
  return (event) => {
    const value = read(event.document) ?? null;
    if (value === null) throw new Error(`The event has no value at ${text} for ${name}`);
    return typeof value === 'string' ? value : jsonText(value);
  };
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_HttpParameters.html */
function checkHttpParameters(parameters: Input): void {
  const values = parameters.PathParameterValues ?? [];
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string' && value.trim() !== '')) {
    throw invalid('HttpParameters.PathParameterValues must be a list of texts.');
  }
  for (const name of ['HeaderParameters', 'QueryStringParameters']) {
    const map = optionalStructure(parameters, name) ?? {};
    for (const [key, value] of Object.entries(map)) {
      if (typeof value !== 'string') throw invalid(`HttpParameters.${name}.${key} must be a text.`);
      if (name === 'HeaderParameters' && (!/^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/.test(key) || /[\r\n\0]/.test(value))) {
        throw invalid(`HttpParameters.HeaderParameters: ${key} is not a valid header.`);
      }
    }
  }
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
