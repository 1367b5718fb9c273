import { randomUUID } from 'node:crypto';
import { EventFields, JsonArray, JsonObject, parseJson } from '@millrace/event-pattern';

/** An event a bus has accepted. */
export interface BusEvent {
  readonly id: string;
  /** The envelope as targets get it, with `detail` byte for byte as the producer gave it. */
  readonly text: string;
  /** The envelope without `detail`. */
  readonly textWithoutDetail: string;
  readonly document: JsonObject;
  readonly fields: EventFields;
  /** The X-Ray trace header it was put with. It is no part of the envelope. */
  readonly traceHeader: string | undefined;
  /** When it happened, in milliseconds since the epoch: the envelope keeps whole seconds. */
  readonly time: number;
  /** When the bus took it, in milliseconds since the epoch. */
  readonly ingestedAt: number;
}

/** The envelope's content: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html */
export interface BusEventContent {
  id: string;
  detailType: string;
  source: string;
  account: string;
  /** Milliseconds since the epoch; the envelope keeps whole seconds. */
  time: number;
  region: string;
  /** The replay that the event comes from. */
  replayName?: string;
  resources: readonly string[];
  detail: JsonObject;
  /** The text `detail` was read from. */
  detailText: string;
  traceHeader?: string | undefined;
  ingestedAt: number;
}

export function createBusEvent(content: BusEventContent): BusEvent {
  const { id, detailType, source, account, time, region, replayName, resources, detail, detailText } = content;
  const envelope = JSON.stringify({
    version: '0',
    id,
    'detail-type': detailType,
    source,
    account,
    time: new Date(time).toISOString().replace(/\.[0-9]+Z$/, 'Z'),
    region,
    'replay-name': replayName,
    resources,
  });
  const text = `${envelope.slice(0, -1)},"detail":${detailText}}`;
  const head = parseJson(envelope);
  const members = head instanceof JsonObject ? head.members : [];
  const document = new JsonObject([...members, ['detail', detail]], text);
  return {
    id,
    text,
    textWithoutDetail: envelope,
    document,
    fields: new EventFields(document),
    traceHeader: content.traceHeader,
    time,
    ingestedAt: content.ingestedAt,
  };
}

/**
 * An archived event as a replay puts it on the bus: the same but for its id, which is new, and the replay's name.
 * @param text the envelope that was archived
 * @param time the event's, in milliseconds since the epoch
 */
export function replayedEvent(text: string, time: number, replayName: string, ingestedAt: number): BusEvent {
  const envelope = parseJson(text);
  if (!(envelope instanceof JsonObject)) throw new Error('The archive holds something that is no event');
  const detail = envelope.get('detail');
  if (!(detail instanceof JsonObject)) throw new Error('The archive holds an event without detail');
  const resources = envelope.get('resources');
  return createBusEvent({
    id: randomUUID(),
    detailType: String(envelope.get('detail-type')),
    source: String(envelope.get('source')),
    account: String(envelope.get('account')),
    time,
    region: String(envelope.get('region')),
    replayName,
    resources: resources instanceof JsonArray ? resources.items.map(String) : [],
    detail,
    detailText: detail.text,
    ingestedAt,
  });
}
