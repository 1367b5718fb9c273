/**
 * Jest runs this once before the suites of scripts and test. Most of them need the packaged services, and its workers would
 * begin by packaging the same ones at the same time.
 * https://jestjs.io/docs/configuration#globalsetup-string
 */
import { join } from 'node:path';
import { bundleSizes, sizeTable } from '@millrace/workspace/bundle-sizes';
import { findWorkspaceRoot, serviceDirectories } from '@millrace/workspace/catalogue';
import { packageServices } from '@millrace/workspace/packaging';

export default async function packageAllServices() {
  const root = findWorkspaceRoot(import.meta.dirname);
  let isNew = false;
  const services = await packageServices({
    directories: [...serviceDirectories(root), join(root, 'test', 'fixtures', 'probe')],
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
    log: (line) => {
      isNew = true;
      console.error(`${line} …`);
    },
  });
  if (isNew) console.error(sizeTable(bundleSizes(services)));
}
