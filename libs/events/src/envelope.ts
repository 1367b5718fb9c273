import * as z from 'zod';
import { MalformedEventError } from './errors.ts';
import type { EventEnvelope } from './event-contract.ts';
import { NotUnicodeError, parseJson } from './parse-json.ts';
import { issuesOf } from './validation.ts';

const envelopeSchema = z.looseObject({
  id: z.string(),
  source: z.string(),
  'detail-type': z.string(),
  time: z.string(),
  detail: z.looseObject({}),
  'replay-name': z.string().optional(),
});

/**
 * Reads the JSON text of an EventBridge event, e.g. an SQS message body.
 * @throws MalformedEventError when it is not JSON or not an event.
 */
export function parseEnvelope(text: string): EventEnvelope {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    // The parser's own message quotes the body, which may hold personal data.
    throw new MalformedEventError(
      error instanceof NotUnicodeError
        ? 'the body contains a string that is not valid Unicode'
        : 'the body is not JSON',
    );
  }
  const result = envelopeSchema.safeParse(value);
  if (!result.success) {
    throw new MalformedEventError(
      issuesOf(result.error, envelopeSchema)
        .map(({ path, message }) => `${path || 'body'}: ${message}`)
        .join('; '),
    );
  }
  return result.data;
}
