import { UsageError } from './usage-error.ts';

/** @throws UsageError unless it is a stage's name */
export function readStage(value: string): string {
  if (/^[a-z][a-z0-9]*$/.test(value)) return value;
  throw new UsageError(`--stage must be lower-case letters and digits, not "${value}"`);
}

/** @throws UsageError unless it is absent or a URL of http or https */
export function readEndpoint(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new UsageError(`--endpoint must be a URL like http://127.0.0.1:4566, not "${value}"`);
  }
  return new URL(value).origin;
}

/** @throws UsageError unless it is absent or a number that satisfies `minimum` and, for a whole number, has no fraction */
export function readNumber(
  flag: string,
  value: string | undefined,
  { minimum, whole = false }: { minimum: number; whole?: boolean },
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && number >= minimum && (!whole || Number.isSafeInteger(number))) return number;
  throw new UsageError(`--${flag} must be a ${whole ? 'whole ' : ''}number of at least ${minimum}, not "${value}"`);
}

/** Why a command failed, in one line that says what to do where that is known. */
export function explain(error: unknown, endpoint?: string): string {
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0], endpoint);
  const { name, message, code } = error as { name?: string; message?: string; code?: string };
  if (code === 'ECONNREFUSED' && endpoint !== undefined) return `Nothing answers at ${endpoint}: is npm start running?`;
  if (name === 'CredentialsProviderError')
    return 'No AWS credentials: sign in, or use --endpoint for the local runtime';
  if (message === 'Region is missing') return 'No AWS region: set AWS_REGION, or use --endpoint for the local runtime';
  if (error instanceof UsageError) return error.message;
  return [name === 'Error' ? '' : name, message].filter(Boolean).join(': ') || String(error);
}

/** What stops a command. */
export interface Interruption {
  signal: AbortSignal;
  /** Ends listening, so that the process can end. */
  dispose: () => void;
}

/** Impatience in ms: npm passes Ctrl-C on to a process that has already had it from the terminal. */
const SAME_WISH_MS = 1_000;

/**
 * Aborts at Ctrl-C, at a termination and when nobody reads the output any more. Asked again, the process ends at once.
 *
 * @param onFirst says that what is under way is being finished
 */
export function interruptible(onFirst: () => void): Interruption {
  const controller = new AbortController();
  let since: number | undefined;
  const interrupt = (): void => {
    const now = performance.now();
    if (since === undefined) {
      since = now;
      controller.abort();
      onFirst();
    } else if (now - since > SAME_WISH_MS) {
      process.exit(130);
    }
  };
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.stdout.on('error', onOutputError);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
}
