import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { personal } from '@millrace/privacy/personal';
import { httpRequest, lambdaContext } from '@millrace/testing';
import * as z from 'zod';
import { type EndpointRequest, endpoint } from './index.ts';

const guest = z.strictObject({ id: z.string(), name: personal(z.string()) });
const body = z.strictObject({ table: z.int(), guest, others: z.array(guest) });
type Log = (request: EndpointRequest<unknown, z.output<typeof body>>) => object;

let lines: string[];
const level = process.env.POWERTOOLS_LOG_LEVEL;
beforeEach(() => {
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env.POWERTOOLS_LOG_LEVEL = level;
});

test.each<[string, Log, object]>([
  ['as it is', (request) => request.body, { table: 4, guest: { id: 'g-1' }, others: [{ id: 'g-2' }] }],
  [
    'with all of the request',
    ({ logger: _, ...request }) => ({ request }),
    { request: { body: { guest: { id: 'g-1' } } } },
  ],
  ['in part', (request) => ({ guest: request.body.guest }), { guest: { id: 'g-1' } }],
])('a body is logged without its personal fields: %s', async (_, attributes, expected) => {
  const sent = { table: 4, guest: { id: 'g-1', name: 'Ada' }, others: [{ id: 'g-2', name: 'Adam' }] };
  const handler = endpoint({ body }, async (request) => {
    request.logger.setLogLevel('INFO');
    request.logger.info('Seated', attributes(request) as Record<string, never>);
    return { status: 200, body: request.body };
  });

  const answer = await handler(httpRequest('POST /seats', { body: sent }), lambdaContext());

  expect(JSON.parse(answer.body ?? '')).toEqual(sent);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject(expected);
  expect(lines[0]).not.toContain('Ada');
});
