import { createClients, reemit, StageQueues } from '@millrace/dead-letters/operations';
import type { AwsPort } from './aws-port.ts';
import type { ReceivedMessage } from './dead-letters.ts';
import type { DeployedStage } from './deployed-stage.ts';
import { takeAll } from './queues.ts';
import type { Violation } from './tally.ts';

/** What became of letters, in the re-emitter's words, with how many each. */
export interface Reemission {
  reemitted: Map<string, number>;
  parked: Map<string, number>;
  violations: Violation[];
}

/**
 * Puts letters back into the dead-letter queues they were taken from, as they were, and has them re-emitted as an operator
 * would. Each has to be on the bus afterwards or parked.
 */
export async function reemitLetters(
  aws: AwsPort,
  { consumers, parkingQueueUrl }: DeployedStage,
  samples: readonly { consumer: string; message: ReceivedMessage }[],
): Promise<Reemission> {
  const reemission: Reemission = { reemitted: new Map(), parked: new Map(), violations: [] };
  const { sqs, lambda, now } = createClients(aws.url, {});
  const queueUrls = new Map(consumers.map(({ name, deadLetterQueueUrl }) => [name, deadLetterQueueUrl]));
  for (const { consumer, message } of samples) {
    await aws.call('sqs', 'SendMessage', {
      QueueUrl: queueUrls.get(consumer),
      MessageBody: message.Body,
      MessageAttributes: message.MessageAttributes,
    });
  }
  const queues = await StageQueues.load(sqs, 'dev');
  // What is re-emitted now and dies again, here or at another consumer, is for the account and not for this run.
  const startedAt = now();
  for (const { name } of consumers) {
    const letters = samples.filter(({ consumer }) => consumer === name);
    const queue = queues.byName(`${name}-dlq`);
    if (!queue) throw new Error(`There is no queue ${name}-dlq`);
    if (letters.length === 0) continue;
    const summary = await reemit({ sqs, queues, queue, select: () => true, startedAt }, lambda);
    let accounted = 0;
    for (const { text, count } of summary.outcomes) {
      const [outcome = ''] = text.split(': ');
      const kinds =
        outcome === 'reemitted' ? reemission.reemitted : outcome === 'parked' ? reemission.parked : undefined;
      const label = text.split(': ').slice(0, 2).join(': ');
      kinds?.set(label, (kinds.get(label) ?? 0) + count);
      if (kinds) accounted += count;
      else reemission.violations.push({ what: `${name}: the re-emitter left ${count} letters: ${text}` });
    }
    if (accounted !== letters.length || summary.problem !== undefined) {
      const what = `${name}: of ${letters.length} letters ${accounted} were re-emitted or parked (${summary.problem})`;
      reemission.violations.push({ what });
    }
  }
  const inParking = await takeAll(aws, parkingQueueUrl, () => {});
  const parked = [...reemission.parked.values()].reduce((sum, count) => sum + count, 0);
  if (inParking !== parked) {
    reemission.violations.push({ what: `${parked} letters were parked, and ${inParking} are in the parking queue` });
  }
  return reemission;
}
