import { ConfigurationError } from './configuration-error.ts';
import type { CfnValue } from './osls.ts';

/** What the plugin needs from outside the service: `custom.consumers` in serverless.yml. */
export interface Platform {
  eventBusName: CfnValue;
  eventBusArn: CfnValue;
  alarmTopicArn: CfnValue;
  /** How long a dead-letter queue keeps a message, in seconds, unless its source needs longer. */
  deadLetterRetention: number;
  /** Stages besides the current one whose names must fit too. */
  stages: string[];
}

/** SQS keeps a message for at most 14 days. */
export const longestRetention = 14 * 24 * 60 * 60;

/**
 * Reads `custom.consumers`.
 * @throws ConfigurationError CONSUMERS_CUSTOM_MISSING naming the missing key, CONSUMERS_OUT_OF_RANGE
 */
export function readPlatform(custom: unknown): Platform {
  const values: Record<string, unknown> = isObject(custom) ? custom : {};
  const read = (name: string): CfnValue => {
    const value = values[name];
    if (typeof value === 'string' || isObject(value)) return value;
    throw new ConfigurationError(
      'CONSUMERS_CUSTOM_MISSING',
      `custom.consumers.${name}`,
      'is missing: give a name or ARN, or { Fn::ImportValue: … }',
    );
  };
  return {
    eventBusName: read('eventBusName'),
    eventBusArn: read('eventBusArn'),
    alarmTopicArn: read('alarmTopicArn'),
    deadLetterRetention: readRetention(values.deadLetterRetention),
    stages: readStages(custom),
  };
}

/** The stages of `custom.consumers`, which a service without consumers may have alone. */
export function readStages(custom: unknown): string[] {
  const { stages } = (isObject(custom) ? custom : {}) as { stages?: unknown };
  return Array.isArray(stages) ? stages.filter((stage) => typeof stage === 'string') : [];
}

function readRetention(value: unknown = longestRetention): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 60 && value <= longestRetention) return value;
  throw new ConfigurationError(
    'CONSUMERS_OUT_OF_RANGE',
    'custom.consumers.deadLetterRetention',
    `is ${JSON.stringify(value)}, but must be from 60 to ${longestRetention} seconds (14 days)`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
