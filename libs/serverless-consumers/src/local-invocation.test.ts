import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';

const service = join(import.meta.dirname, '..', 'fixtures', 'shop');
const osls = createRequire(import.meta.url).resolve('serverless/package.json');

/** `sls invoke local` with no AWS account in reach; the function's answer. */
async function invokeLocal(functionKey: string, variables: Record<string, string> = {}): Promise<unknown> {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SQS, ...environment } = process.env;
  const invocation = promisify(execFile)(
    process.execPath,
    [join(dirname(osls), 'bin', 'serverless.js'), 'invoke', 'local', '-f', functionKey, '-d', '{"a":1}'],
    { cwd: service, env: { ...environment, ...variables } },
  );
  invocation.child.stdin?.end();
  return JSON.parse((await invocation).stdout);
}

afterAll(() => {
  rmSync(join(service, '.esbuild'), { recursive: true, force: true });
});

test('sls invoke local: a table with a literal name needs no account', async () => {
  expect(await invokeLocal('putShelf')).toEqual({
    handled: 'put-shelf',
    event: { a: 1 },
    table: 'millrace-shop-dev',
  });
});

test('sls invoke local: a consumer finds its queue at the endpoint it is pointed at', async () => {
  expect(await invokeLocal('onShelfFilled', { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' })).toMatchObject({
    consumer: 'shop.onShelfFilled',
    queue: 'http://127.0.0.1:4566/000000000000/millrace-shop-dev-on-shelf-filled',
  });
});
