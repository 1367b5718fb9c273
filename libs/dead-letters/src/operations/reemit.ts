import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { UsageError } from '@millrace/command-line';
import { batches } from '../batches.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { MAX_REEMIT_MESSAGES, type ReemitRequest, type ReemitResponse, type ReemitResult } from '../reemission.ts';
import { type DrainSummary, drain } from './drain.ts';
import type { Look } from './look.ts';
import { describe } from './move-dead-letters.ts';
import type { Outcome } from './outcome.ts';
import type { Operation } from './redrive.ts';
import { relayServiceOf } from './stage-queues.ts';

/**
 * Bytes of one request; Lambda takes 6 MB.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const MAX_REQUEST_BYTES = 5_000_000;

/** A letter as the re-emitter takes it, and its JSON. */
interface Packed {
  letter: DeadLetter;
  json: string;
}

/**
 * Hands letters to the re-emitter, which puts their events back on the bus and takes them out of the queue itself.
 *
 * @throws UsageError for the parking queue, whose letters go back to where they were parked from first, and for a relay's
 */
export async function reemit(operation: Operation, lambda: Pick<LambdaClient, 'send'>): Promise<DrainSummary> {
  const { sqs, queues, queue, dryRun } = operation;
  if (queue.name === queues.parkingQueueName) {
    throw new UsageError('Parked letters are not re-emitted: redrive them to where they were parked from first');
  }
  if (relayServiceOf(queue, queues.stage) !== undefined) {
    throw new UsageError("A relay's letters were never on the bus: redrive them, and their owner emits them");
  }
  const functionName = `millrace-re-emitter-${queues.stage}-reemit`;
  return drain(sqs, queue, operation, MAX_REEMIT_MESSAGES, async (letters, look) => {
    const outcomes: Outcome[] = [];
    const packed: Packed[] = [];
    for (const letter of letters) {
      if (!look.holds(letter)) {
        outcomes.push({ letter, result: 'left', text: 'left: its visibility could not be extended in time' });
      } else if (dryRun) {
        outcomes.push({ letter, result: 'done', text: `would go to ${functionName}` });
      } else {
        const { messageId, receiptHandle, body, attributes } = look.current(letter);
        const message: ReemitRequest['messages'][number] = { messageId, receiptHandle, body, attributes };
        packed.push({ letter, json: JSON.stringify(message) });
      }
    }
    const requests = batches(packed, {
      maxCount: MAX_REEMIT_MESSAGES,
      maxSize: MAX_REQUEST_BYTES,
      sizeOf: ({ json }) => Buffer.byteLength(json) + 1,
    });
    for (const request of requests) {
      outcomes.push(...(await invoke(lambda, functionName, queue.name, request, look)));
      if (outcomes.some(({ stop }) => stop)) break;
    }
    return outcomes;
  });
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
async function invoke(
  lambda: Pick<LambdaClient, 'send'>,
  functionName: string,
  queueName: string,
  letters: readonly Packed[],
  look: Look,
): Promise<Outcome[]> {
  let results: Map<string, Omit<ReemitResult, 'messageId'>>;
  try {
    const answer = await lambda.send(
      new InvokeCommand({
        FunctionName: functionName,
        Payload: `{"queueName":${JSON.stringify(queueName)},"messages":[${letters.map(({ json }) => json).join()}]}`,
      }),
    );
    const payload = answer.Payload?.transformToString() ?? '';
    if (answer.FunctionError) throw new Error(`it ended with ${answer.FunctionError}: ${payload}`);
    const response = JSON.parse(payload) as ReemitResponse;
    results = new Map(response.results.map((result) => [result.messageId, result]));
  } catch (error) {
    const text = `left: ${functionName} did not answer: ${describe(error)}`;
    return letters.map(({ letter }) => ({ letter, result: 'left', text, stop: true }));
  }
  return letters.map(({ letter }) => {
    const result = results.get(letter.messageId) ?? { outcome: 'kept', reason: 'no answer for it' };
    const { outcome, code, reason, stillThere } = result;
    const why = [code, reason].filter(Boolean).join(': ');
    const text = why === '' ? outcome : `${outcome}: ${why}`;
    if (stillThere) return { letter, result: 'failed', text };
    if (outcome !== 'kept') look.forget(letter);
    return { letter, result: outcome === 'reemitted' ? 'done' : 'left', text };
  });
}
