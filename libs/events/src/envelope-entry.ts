import { EmittableEvent, type EntryOptions } from './emittable-event.ts';
import { MalformedEventError } from './errors.ts';

/**
 * Makes the event of an EventBridge envelope emittable again: same source, detail-type, resources and time, and the
 * detail byte for byte as it stands in the text.
 *
 * @param text a delivered event, e.g. the body of a message in a dead-letter queue
 * @throws MalformedEventError when the text is not an EventBridge event
 * https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 */
export function entryOfEnvelope(text: string, options: Pick<EntryOptions, 'traceHeader'> = {}): EmittableEvent {
  let envelope: Record<string, unknown> | null;
  try {
    envelope = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, which may hold personal data.
    throw new MalformedEventError('the body is not JSON');
  }
  const { source, 'detail-type': detailType, time, resources = [], detail } = envelope ?? {};
  if (!isText(source) || !isText(detailType) || !isText(time) || Number.isNaN(Date.parse(time))) {
    throw new MalformedEventError('source, detail-type or time is missing');
  }
  if (!Array.isArray(resources) || !resources.every(isText)) throw new MalformedEventError('resources are not texts');
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) {
    throw new MalformedEventError('detail is not an object');
  }
  return new EmittableEvent(
    { source, detailType, time, detail: memberText(text, 'detail') },
    { resources, ...options },
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * The text of a member's value in a JSON object that is known to be valid; of the last one when the name stands there
 * twice, as JSON.parse takes it. Parsing and writing it again would change numbers, escapes and white space.
 */
function memberText(json: string, name: string): string {
  let found = '';
  let depth = 0;
  let key: string | undefined;
  let valueStart = 0;
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case '"': {
        const end = closingQuote(json, at);
        // In an object's first level a string before any colon is a name; after it, `key` is set.
        if (depth === 1 && key === undefined) {
          key = JSON.parse(json.slice(at, end + 1));
          valueStart = json.indexOf(':', end) + 1;
          at = valueStart - 1;
        } else {
          at = end;
        }
        break;
      }
      case '{':
      case '[':
        depth += 1;
        break;
      case '}':
      case ']':
      case ',':
        if (depth === 1 && key !== undefined) {
          if (key === name) found = json.slice(valueStart, at).trim();
          key = undefined;
        }
        if (json[at] !== ',') depth -= 1;
    }
  }
  return found;
}

function closingQuote(json: string, openingQuote: number): number {
  let at = openingQuote + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
