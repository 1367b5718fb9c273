import { EventFields } from './event-fields.ts';
import { JsonObject, parseJson } from './json-document.ts';

/** An event a bus has accepted. */
export interface BusEvent {
  readonly id: string;
  /** The envelope as targets get it, with `detail` byte for byte as the producer gave it. */
  readonly text: string;
  /** The envelope without `detail`. */
  readonly textWithoutDetail: string;
  readonly document: JsonObject;
  readonly fields: EventFields;
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
  resources: readonly string[];
  detail: JsonObject;
  /** The text `detail` was read from. */
  detailText: string;
  ingestedAt: number;
}

export function createBusEvent(content: BusEventContent): BusEvent {
  const { id, detailType, source, account, time, region, resources, detail, detailText, ingestedAt } = content;
  const envelope = JSON.stringify({
    version: '0',
    id,
    'detail-type': detailType,
    source,
    account,
    time: new Date(time).toISOString().replace(/\.[0-9]+Z$/, 'Z'),
    region,
    resources,
  });
  const text = `${envelope.slice(0, -1)},"detail":${detailText}}`;
  const head = parseJson(envelope);
  const members = head instanceof JsonObject ? head.members : [];
  const document = new JsonObject([...members, ['detail', detail]], text);
  return { id, text, textWithoutDetail: envelope, document, fields: new EventFields(document), ingestedAt };
}
