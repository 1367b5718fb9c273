import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { explain, UsageError } from './index.ts';

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

test.each([
  [new UsageError('--from is missing'), '--from is missing'],
  [new Error('It broke'), 'It broke'],
  [named('ResourceNotFoundException', 'No such rule'), 'ResourceNotFoundException: No such rule'],
  [new AggregateError([new Error('The first'), new Error('The second')]), 'The first'],
  ['a text', 'a text'],
  [named('CredentialsProviderError', 'Could not load'), 'No AWS credentials: sign in, or use --endpoint'],
  [new Error('Region is missing'), 'No AWS region: set AWS_REGION, or use --endpoint'],
])('%s', (error, line) => {
  expect(explain(error)).toContain(line);
});

test('says where nothing answers', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const failure = await fetch(`http://127.0.0.1:${port}`).catch((error: Error) => error.cause);
  expect(explain(failure)).toBe(`Nothing answers at http://127.0.0.1:${port}: is npm start running?`);
});
