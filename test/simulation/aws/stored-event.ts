import { unmarshall } from '@millrace/aws';
import { inlineText } from '@millrace/event-store';
import type { Item } from '@millrace/local/dynamodb-engine';
import type { AttributeValue } from 'aws-lambda';

/** An event of a stream, as far as the simulation looks at it. */
export interface SimulatedEvent {
  type?: string;
  order?: { paymentToken?: string };
  deadline?: string;
  reason?: string;
  orderId?: string;
}

/** The event of an item of a stream, which is compressed unless it is short. */
export function storedEventOf({ event, packed }: Item): SimulatedEvent {
  const content = packed && inlineText(packed as AttributeValue);
  if (content !== undefined) return JSON.parse(content);
  return event ? unmarshall({ event } as never).event : {};
}
