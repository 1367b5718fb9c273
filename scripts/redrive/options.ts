import { parseDuration, readArguments, readNumber } from '@millrace/command-line';
import type { DeadLetterCriteria, DrainOptions } from '@millrace/dead-letters/operations';

export const GLOBAL_HELP = `  --stage <name>         stage (dev)
  --endpoint <url>       the local runtime, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --help                 help on the command`;

export const FILTER_HELP = `  --type <detail-type>   e.g. OrderPlaced.v1; may be repeated, as may --reason, --id and --correlation-id
  --reason <code>        e.g. SCHEMA_VIOLATION
  --id <id>              an event's metadata.id, or the id of its SQS message
  --correlation-id <id>
  --older-than <age>     since the letter was sent, e.g. 90s, 10m, 2h, 3d
  --newer-than <age>
  --pattern <json>       an EventBridge event pattern, e.g. '{"detail":{"data":{"currency":["EUR"]}}}'
  --limit <n>            this many letters at most`;

export const ACTION_HELP = `  --dry-run              say what would be done, and do nothing
  --rate <n>             letters a second at most
  --concurrency <n>      receivers side by side (8)`;

export const FILTERS = [
  'type',
  'reason',
  'id',
  'correlation-id',
  'older-than',
  'newer-than',
  'pattern',
  'limit',
] as const;
export const ACTIONS = ['dry-run', 'rate', 'concurrency'] as const;

const OPTIONS = {
  stage: { type: 'string', default: 'dev' },
  endpoint: { type: 'string' },
  help: { type: 'boolean', default: false },
  type: { type: 'string', multiple: true },
  reason: { type: 'string', multiple: true },
  id: { type: 'string', multiple: true },
  'correlation-id': { type: 'string', multiple: true },
  'older-than': { type: 'string' },
  'newer-than': { type: 'string' },
  pattern: { type: 'string' },
  limit: { type: 'string' },
  'dry-run': { type: 'boolean' },
  rate: { type: 'string' },
  concurrency: { type: 'string' },
  json: { type: 'boolean' },
  reveal: { type: 'boolean' },
  all: { type: 'boolean' },
  sample: { type: 'string' },
  'exit-code': { type: 'boolean' },
  message: { type: 'string' },
  yes: { type: 'boolean' },
} as const;

export type Option = keyof typeof OPTIONS;

/** A subcommand. */
export interface Command {
  /** Its name and what it takes: `inspect <queue>`. */
  usage: string;
  summary: string;
  help: string;
  /** What it takes besides the global ones. */
  options: readonly Option[];
  run: (values: Values, args: string[]) => Promise<number>;
}

export type Values = ReturnType<typeof readOptions>['values'];

export function readOptions() {
  return readArguments({ options: OPTIONS, allowPositionals: true });
}

/** Which letters are meant. */
export function readCriteria(values: Values): DeadLetterCriteria {
  const { type, reason, id, 'correlation-id': correlationId, pattern } = values;
  const { 'older-than': olderThan, 'newer-than': newerThan } = values;
  return {
    ...(type && { types: type }),
    ...(reason && { reasons: reason }),
    ...(id && { ids: id }),
    ...(correlationId && { correlationIds: correlationId }),
    ...(olderThan !== undefined && { olderThan: parseDuration(olderThan) }),
    ...(newerThan !== undefined && { newerThan: parseDuration(newerThan) }),
    ...(pattern !== undefined && { pattern }),
  };
}

export function readLimit(values: Values): number | undefined {
  return readNumber('limit', values.limit, { minimum: 1, whole: true });
}

/** How many letters, and how fast. */
export function readPace(values: Values): Pick<DrainOptions, 'limit' | 'rate' | 'concurrency'> {
  return {
    limit: readLimit(values),
    rate: readNumber('rate', values.rate, { minimum: 0.01 }),
    concurrency: readNumber('concurrency', values.concurrency, { minimum: 1, whole: true }),
  };
}
