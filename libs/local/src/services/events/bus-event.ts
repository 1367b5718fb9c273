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
  /** The X-Ray trace header it was put with. It is not part of the envelope. */
  readonly traceHeader: string | undefined;
  /** It came from another bus: it is not sent to a further one. */
  readonly isForwarded: boolean;
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
  isForwarded?: boolean;
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
    isForwarded: content.isForwarded ?? false,
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
  return createBusEvent({ ...readEnvelope(text), id: randomUUID(), time, replayName, ingestedAt });
}

/**
 * Reads an event as targets get it. `detail` is kept byte for byte.
 * @param text the envelope, as JSON
 * @param defaults what a sender may leave out
 * @throws EnvelopeError that names the member
 */
export function readEnvelope(
  text: string,
  defaults: Partial<Pick<BusEventContent, 'id' | 'account' | 'region' | 'time'>> = {},
): Omit<BusEventContent, 'ingestedAt'> {
  const envelope = parseJson(text);
  if (!(envelope instanceof JsonObject)) throw new EnvelopeError('The event is not a JSON object');
  const member = (name: string, otherwise?: string): string => {
    const value = envelope.get(name) ?? otherwise;
    if (typeof value === 'string' && value !== '') return value;
    throw new EnvelopeError(`The event's ${name} is not a text`);
  };
  const detail = envelope.get('detail');
  if (!(detail instanceof JsonObject)) throw new EnvelopeError("The event's detail is not an object");
  const resources = envelope.get('resources');
  const time = envelope.get('time') === undefined ? defaults.time : Date.parse(member('time'));
  if (time === undefined || Number.isNaN(time)) throw new EnvelopeError("The event's time is not a time");
  return {
    id: member('id', defaults.id),
    detailType: member('detail-type'),
    source: member('source'),
    account: member('account', defaults.account),
    time,
    region: member('region', defaults.region),
    ...(envelope.get('replay-name') === undefined ? {} : { replayName: member('replay-name') }),
    resources: resources instanceof JsonArray ? resources.items.map(String) : [],
    detail,
    detailText: detail.text,
  };
}

/** Something that is not an event. */
export class EnvelopeError extends Error {}
