import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { packageServices } from '@millrace/workspace/packaging';

const root = join(import.meta.dirname, '..');

test('no function imports a module of Node while it handles its first event: that evaluates all exports of node:http', async () => {
  const services = await packageServices({
    directories: serviceDirectories(root),
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
  });
  const folders = new Set(
    services.flatMap(({ functions }) => [...functions.values()].map((code) => code.codeDirectory)),
  );
  const bundles = [...folders].flatMap((folder) =>
    globSync('**/*.cjs', { cwd: folder }).map((file) => join(folder, file)),
  );

  expect(bundles.length).toBeGreaterThan(0);
  expect(bundles.filter((bundle) => /\bimport\("/.test(readFileSync(bundle, 'utf8')))).toEqual([]);
});
