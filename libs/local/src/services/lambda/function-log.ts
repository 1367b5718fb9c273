import { pathToFileURL } from 'node:url';
import type { FunctionLogLine } from '../../core/observations.ts';

const SERIOUS = new Set(['WARN', 'ERROR', 'CRITICAL', 'FATAL']);

/** Fields of a structured log entry that say who wrote it and when, not what happened. */
const CONTEXT = new Set(['level', 'message', 'timestamp', 'service', 'sampling_rate', 'xray_trace_id', 'cold_start']);

/** What Lambda's Node.js runtime logs of an error: time, request id, level, heading and the error, with tabs between them. */
const LAMBDA_ERROR = /^\S+\t(\S+)\tERROR\t([^\t]+?) ?\t(\{.*\})$/s;

/** Frames that belong to Node or to the stand-in for Lambda. */
const FOREIGN_FRAME = /\bnode:|\/libs\/local\/src\/lambda\/worker\.ts:/;

/** Of a function's log entry, as far as it is shown. */
interface LogEntry {
  level: string;
  message: string;
  error?: unknown;
  fields: [name: string, value: unknown][];
}

export interface FunctionLogFormat {
  /** Every entry, with all of its fields and every stack; otherwise warnings and errors only, with the stacks of errors. */
  verbose: boolean;
  /** Entries as they stand in the log group. */
  raw?: boolean;
  /** Paths below this folder are shown relative to it. */
  root?: string;
}

/**
 * Formats an entry of a function's log for a terminal: the function, the level, the message with its error, then the error's place in
 * the source, the entry's ids and other fields, and the stack.
 *
 * @returns undefined when there is nothing to show
 * @example
 * const shown = formatFunctionLog(line, { verbose: false, root: process.cwd() });
 * if (shown !== undefined) console.log(shown);
 */
export function formatFunctionLog(
  { functionName, line, stream }: FunctionLogLine,
  { verbose, raw = false, root }: FunctionLogFormat,
): string | undefined {
  const parsed = parseJson(line);
  // Metrics in the embedded format are for CloudWatch, not for people.
  if (parsed && '_aws' in parsed) return undefined;
  const entry = parsed ? structuredEntry(parsed) : lambdaError(line);
  const isShown = verbose || (entry ? SERIOUS.has(entry.level) : stream === 'stderr');
  if (!isShown || line.trim() === '') return undefined;
  if (raw) return `  ${functionName} ${line}`;
  if (!entry) return `  ${functionName} ${line.replaceAll('\n', '\n      ')}`;

  const { level, message, error } = entry;
  const fields = verbose ? entry.fields : entry.fields.filter(([name]) => name !== 'traceparent');
  const details = [
    locationOf(error),
    fields.map(([name, value]) => `${name}=${compact(value)}`).join(' '),
    ...(verbose || level !== 'WARN' ? stackOf(error) : []),
    ...causesOf(error),
  ].filter((detail) => detail !== '');
  const headline = [`  ${functionName} ${level}`, message, errorText(error)].filter((part) => part !== '').join(' ');
  return relativeTo(root, [headline, ...details].join('\n      '));
}

function parseJson(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function structuredEntry(parsed: Record<string, unknown>): LogEntry {
  const fields = Object.entries(parsed).filter(
    ([name]) => name !== 'error' && !CONTEXT.has(name) && !name.startsWith('function_'),
  );
  return {
    level: String(parsed.level ?? 'INFO').toUpperCase(),
    message: String(parsed.message ?? ''),
    error: parsed.error,
    fields,
  };
}

function lambdaError(line: string): LogEntry | undefined {
  const [, requestId, heading = '', json = ''] = LAMBDA_ERROR.exec(line) ?? [];
  const thrown = parseJson(json);
  if (!thrown) return undefined;
  const { errorType: name, errorMessage: message, stack } = thrown;
  return {
    level: 'ERROR',
    message: heading,
    error: { name, message, stack: Array.isArray(stack) ? stack.join('\n') : undefined },
    // It is literally "undefined" while the function starts.
    fields: requestId === 'undefined' ? [] : [['request_id', requestId]],
  };
}

function errorText(error: unknown): string {
  if (error === undefined) return '';
  const { name, message } = membersOf(error);
  if (message === undefined) return `(${compact(error)})`;
  return name === undefined ? `(${String(message)})` : `(${String(name)}: ${String(message)})`;
}

/** Where the error was thrown: the first of its own frames, or what the entry says. Paths may have spaces. */
function locationOf(error: unknown): string {
  const { location } = membersOf(error);
  const [frame = ''] = framesOf(error);
  const place = /^at (?:async )?(?:.*? \()?(.+:\d+):\d+\)?$/.exec(frame)?.[1] ?? location;
  return typeof place === 'string' ? `at ${place}` : '';
}

function stackOf(error: unknown): string[] {
  return framesOf(error).map((frame) => `  ${frame}`);
}

function framesOf(error: unknown): string[] {
  const { stack } = membersOf(error);
  if (typeof stack !== 'string') return [];
  return stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && !FOREIGN_FRAME.test(line));
}

function causesOf(error: unknown): string[] {
  const { cause } = membersOf(error);
  if (cause === undefined) return [];
  return [
    ['caused by', errorText(cause), locationOf(cause)].filter((part) => part !== '').join(' '),
    ...causesOf(cause),
  ];
}

function membersOf(error: unknown): Record<string, unknown> {
  return error !== null && typeof error === 'object' ? (error as Record<string, unknown>) : {};
}

function relativeTo(root: string | undefined, text: string): string {
  return root === undefined ? text : text.replaceAll(`${pathToFileURL(root).href}/`, '').replaceAll(`${root}/`, '');
}

function compact(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
