import { eventBridgeLimits, sqsLimits } from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';
import type { CfnValue } from './osls.ts';

/** What the plugin needs from outside the service: `custom.consumers` in serverless.yml. */
export interface Platform {
  eventBusName: CfnValue;
  eventBusArn: CfnValue;
  /** The bus of the analytics variants. */
  analyticsBusName: CfnValue;
  analyticsBusArn: CfnValue;
  /** The key of pseudonyms; undefined where it is not set, for only relays of contracts that ask for pseudonyms need it. */
  pseudonymKeyArn: CfnValue | undefined;
  alarmTopicArn: CfnValue;
  /** How long a dead-letter queue keeps a message, in seconds, unless its source needs longer. */
  deadLetterRetention: number;
  /** Characters of a rule's pattern: more than EventBridge's default where the quota of all accounts has been raised. */
  patternLength: number;
  /** Stages besides the current one whose names must fit too. */
  stages: string[];
}

/**
 * Reads `custom.consumers`.
 * @throws ConfigurationError CONSUMERS_CUSTOM_MISSING naming the missing key, CONSUMERS_OUT_OF_RANGE
 */
export function readPlatform(custom: unknown): Platform {
  const values: Record<string, unknown> = isObject(custom) ? custom : {};
  const read = (name: string): CfnValue => given(values[name]) ?? missing(name);
  return {
    eventBusName: read('eventBusName'),
    eventBusArn: read('eventBusArn'),
    analyticsBusName: read('analyticsBusName'),
    analyticsBusArn: read('analyticsBusArn'),
    pseudonymKeyArn: given(values.pseudonymKeyArn),
    alarmTopicArn: read('alarmTopicArn'),
    deadLetterRetention: readRetention(values.deadLetterRetention),
    patternLength: readPatternLength(custom),
    stages: readStages(custom),
  };
}

/**
 * The key of pseudonyms, for a function that makes them.
 * @throws ConfigurationError CONSUMERS_CUSTOM_MISSING
 */
export function pseudonymKeyOf({ pseudonymKeyArn }: Platform): CfnValue {
  return pseudonymKeyArn ?? missing('pseudonymKeyArn');
}

function given(value: unknown): CfnValue | undefined {
  return typeof value === 'string' || isObject(value) ? value : undefined;
}

function missing(name: string): never {
  throw new ConfigurationError(
    'CONSUMERS_CUSTOM_MISSING',
    `custom.consumers.${name}`,
    'is missing: give a name or ARN, or { Fn::ImportValue: … }',
  );
}

/** The stages of `custom.consumers`, which a service without consumers may have alone. */
export function readStages(custom: unknown): string[] {
  const { stages } = (isObject(custom) ? custom : {}) as { stages?: unknown };
  return Array.isArray(stages) ? stages.filter((stage) => typeof stage === 'string') : [];
}

/**
 * The longest pattern of a rule, which a service without consumers may set alone.
 * @throws ConfigurationError CONSUMERS_OUT_OF_RANGE
 */
export function readPatternLength(custom: unknown): number {
  const { patternLength, raisedPatternLength } = eventBridgeLimits;
  const { rulePatternLength: value = patternLength } = isObject(custom) ? custom : {};
  return readNumber('rulePatternLength', value, patternLength, raisedPatternLength, 'characters');
}

function readRetention(value: unknown = sqsLimits.retention.maximum): number {
  const { minimum, maximum } = sqsLimits.retention;
  return readNumber('deadLetterRetention', value, minimum, maximum, 'seconds (14 days)');
}

function readNumber(name: string, value: unknown, minimum: number, maximum: number, unit: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new ConfigurationError(
    'CONSUMERS_OUT_OF_RANGE',
    `custom.consumers.${name}`,
    `is ${JSON.stringify(value)}, but must be from ${minimum} to ${maximum} ${unit}`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
