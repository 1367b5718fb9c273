import { chunks } from '../../core/chunks.ts';
import type { Usage } from '../../core/usage.ts';

interface PutEventsInput {
  Entries?: { Source?: string; DetailType?: string; Detail?: string }[];
}
interface PutEventsOutput {
  Entries?: { EventId?: string }[];
}

/**
 * Counts a call of PutEvents and its accepted entries.
 *
 * @param functionName who calls
 * https://aws.amazon.com/eventbridge/pricing/
 */
export function countPutEvents(usage: Usage, functionName: string, input: unknown, output: unknown): void {
  const { Entries: entries = [] } = input as PutEventsInput;
  const { Entries: results = [] } = output as PutEventsOutput;
  usage.add('events.putCalls', functionName, 1);
  for (const [index, { Source = '', DetailType = '', Detail = '' }] of entries.entries()) {
    if (results[index]?.EventId === undefined) continue;
    usage.add('events.published', functionName, chunks(Buffer.byteLength(Source + DetailType + Detail), 64));
  }
}
