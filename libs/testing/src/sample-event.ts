import { randomUUID } from 'node:crypto';
import type { EmittableEvent, Event, EventContext, EventContract } from '@millrace/events';

/** An event made from a contract's example, with parts of its data and context replaced. */
export function sampleEvent<DetailType extends string, Data>(
  contract: EventContract<DetailType, Data>,
  data: Partial<Data> = {},
  context: Partial<EventContext> = {},
): EmittableEvent<Event<DetailType, Data>> {
  return contract.create(
    { ...contract.example, ...data },
    { id: randomUUID(), time: new Date(), subject: 'subject-1', correlationId: randomUUID(), ...context },
  );
}

/** The JSON text EventBridge puts into a queue for an event: an SQS message body. */
export function envelopeText(event: EmittableEvent): string {
  const { source, detailType, detail, time } = event;
  const envelope = {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: '000000000000',
    time: time.replace(/\.\d+Z$/, 'Z'),
    region: 'us-east-1',
    resources: [],
  };
  return `${JSON.stringify(envelope).slice(0, -1)},"detail":${detail}}`;
}
