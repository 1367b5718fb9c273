import type { FunctionLogLine } from './lambda/function-pool.ts';

const SERIOUS = new Set(['WARN', 'ERROR', 'CRITICAL', 'FATAL']);

/** Fields of a structured log line that say who wrote it and when, not what happened. */
const CONTEXT = new Set(['level', 'message', 'timestamp', 'service', 'sampling_rate', 'xray_trace_id', 'cold_start']);

/**
 * A line a function wrote, for a terminal: the function, the level and the message, with the error if there is one.
 *
 * @param verbose every line, with all of its fields; otherwise warnings and errors only
 * @returns undefined when there is nothing to show
 */
export function formatFunctionLog(
  { functionName, line, stream }: FunctionLogLine,
  verbose: boolean,
): string | undefined {
  const entry = parseLogEntry(line);
  // Metrics in the embedded format are for CloudWatch, not for people.
  if (entry && '_aws' in entry) return undefined;
  if (!entry) {
    const shown = (verbose || stream === 'stderr') && line.trim() !== '';
    return shown ? `  ${functionName} ${line}` : undefined;
  }
  const level = String(entry.level ?? 'INFO').toUpperCase();
  if (!verbose && !SERIOUS.has(level)) return undefined;
  const fields = Object.entries(entry).filter(([key]) => !CONTEXT.has(key) && !key.startsWith('function_'));
  const shown = verbose ? fields : fields.filter(([key]) => key === 'error');
  const details = shown.map(([key, value]) => (key === 'error' ? describeError(value) : `${key}=${compact(value)}`));
  return [`  ${functionName} ${level}`, String(entry.message ?? ''), ...details].join(' ').trimEnd();
}

function parseLogEntry(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function describeError(error: unknown): string {
  if (error === null || typeof error !== 'object') return `(${compact(error)})`;
  const { name, message } = error as { name?: unknown; message?: unknown };
  return message === undefined
    ? `(${compact(error)})`
    : `(${name === undefined ? '' : `${String(name)}: `}${String(message)})`;
}

function compact(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
