import { describe, expect, test } from '@jest/globals';
import { checkoutRequest } from '@millrace/checkout/requests';
import { RecordingClient, sqsRecord } from '@millrace/testing';
import * as fc from 'fast-check';
import { acmeOrder } from '../../fixtures/acme-order.ts';
import { partnerFrom } from '../domain/partner.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { Intake } from './intake.ts';

/** Where an order can be falsified. */
type Path = readonly (string | number)[];

const hostileValues = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    0,
    -1,
    1e308,
    Number.MAX_SAFE_INTEGER,
    '',
    ' ',
    '\u0000',
    '\ud800',
    {},
    [],
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '../..',
    '<script>',
    "'; DROP TABLE",
    'http://evil.example',
    '\u202eadA',
    'x'.repeat(5000),
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary' }),
);

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...members.flatMap(([name, member]) => pathsOf(member, [...path, name]))];
}

function replaced(value: unknown, [name, ...rest]: Path, by: unknown): unknown {
  if (name === undefined) return by;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[name] = replaced(copy[name], rest, by);
  return copy;
}

const SECRET = 'zz-secret-zz';
const order = acmeOrder({
  buyer: { name: SECRET, email: `${SECRET}@example.com`, phone: '+4915112345678' },
  paymentToken: SECRET,
});

/** Orders that are sound but for one or two values, texts that are cut off, and anything else. */
const bodies = fc.oneof(
  fc
    .array(fc.tuple(fc.constantFrom(...pathsOf(order)), hostileValues), { minLength: 1, maxLength: 2 })
    .map((changes) => changes.reduce<unknown>((value, [path, by]) => safely(value, path, by), order))
    .map((value) => JSON.stringify(value) ?? ''),
  fc.tuple(fc.nat(400), fc.constant(JSON.stringify(order))).map(([length, text]) => text.slice(0, length)),
  fc.json(),
  fc.string(),
);

/** A second change may find its place gone. */
function safely(value: unknown, path: Path, by: unknown): unknown {
  try {
    return replaced(value, path, by);
  } catch {
    return value;
  }
}

describe('whatever comes', () => {
  test('is an order that the checkout takes, or a letter that says why and nothing personal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bodies, { minLength: 1, maxLength: 10 }), async (texts) => {
        const sqs = new RecordingClient();
        const intake = new Intake({
          partner: partnerFrom('acme'),
          contactPolicy: { verified: 'required', smsPrefixes: ['+49'] },
          claims: { claim: async () => {} },
          deadLetters: new DeadLetterQueue(sqs, {
            ...{ consumer: 'partner-orders.acme', queueUrl: 'q', deadLetterQueueUrl: 'dlq', now: () => new Date() },
          }),
        });
        const records = texts.map((text) => sqsRecord(text));

        const admitted = await intake.admit(records);

        const letters = sqs.inputs<{ MessageBody: string; MessageAttributes: object }>('SendMessageCommand');
        const taken = new Set(admitted.map(({ messageId }) => messageId));
        const refused = records.filter(({ messageId }) => !taken.has(messageId));
        expect(letters.map(({ MessageBody }) => MessageBody)).toEqual(refused.map(({ body }) => body));
        for (const request of admitted) expect(checkoutRequest.parse(request)).toEqual(request);
        for (const { MessageAttributes } of letters) {
          const text = JSON.stringify(MessageAttributes);
          expect(text).toMatch(/"(MALFORMED|INVALID)_ORDER"/);
          expect(text).not.toContain(SECRET);
          expect(Object.keys(MessageAttributes).length).toBeLessThanOrEqual(10);
        }
      }),
      { numRuns: 200 },
    );
  });
});
