import type { Usage } from '../../core/usage.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { countLogBytes } from './log-usage.ts';

/**
 * Counts one invocation: its duration is billed in whole milliseconds, and Lambda writes three lines of its own about it, unless
 * the system log level leaves out what went well.
 *
 * @param durationMs with the init phase of a cold start, which is billed, too
 * https://aws.amazon.com/lambda/pricing/
 */
export function countInvocation(
  usage: Usage,
  { name, memoryMb, logsEveryCall = true }: Pick<FunctionDefinition, 'name' | 'memoryMb' | 'logsEveryCall'>,
  durationMs: number,
): void {
  const billedMs = Math.max(1, Math.ceil(durationMs));
  usage.add('lambda.invocations', name, 1);
  usage.add('lambda.milliseconds', name, billedMs);
  usage.add('lambda.gigabyteSeconds', name, (billedMs / 1000) * (memoryMb / 1024));
  if (logsEveryCall) countLogBytes(usage, name, platformLines(memoryMb, durationMs, billedMs));
}

/** The lines of the text format, with a request id as long as each of them has. */
function platformLines(memoryMb: number, durationMs: number, billedMs: number): string[] {
  const id = '00000000-0000-0000-0000-000000000000';
  return [
    `START RequestId: ${id} Version: $LATEST`,
    `END RequestId: ${id}`,
    `REPORT RequestId: ${id}\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${billedMs} ms\t` +
      `Memory Size: ${memoryMb} MB\tMax Memory Used: 100 MB\t`,
  ];
}
