import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { readArguments, runCommand } from '@millrace/command-line';
import { readAllowedLicences } from '../supply-chain/licences.ts';
import { checkLockFile, installedLicences } from '../supply-chain/lock-file.ts';
import { audit } from './advisories.ts';

const HELP = `Checks package.json and package-lock.json: every dependency is pinned, every package has the hash of its tarball, comes from
the public registry, has an allowed licence, and no install script that is not decided on. Then asks the registry whether packages
have advisories of high or critical severity (npm audit --omit=dev). Many registries cannot be asked: standard error then says
that advisories were NOT checked.

Usage: npm run audit -- [options]

  --root <folder>   of package.json and package-lock.json (the repository)
  --strict          a registry that cannot be asked is a failure
  --help            show this

Exit codes: 0 nothing found, 1 something found, or advisories not checked and --strict, 2 misused.`;

/** Runs the command; its exit code becomes that of the process. */
export const runAudit = () =>
  runCommand('audit', async () => {
    const repository = dirname(dirname(import.meta.dirname));
    const { strict, root, help } = readArguments({
      options: {
        strict: { type: 'boolean', default: false },
        root: { type: 'string', default: repository },
        help: { type: 'boolean' },
      },
    }).values;
    if (help) {
      console.log(HELP);
      return 0;
    }
    const isInOrder = checkOffline(root);
    const result = await audit(root, 'high');
    if ('noEndpoint' in result) {
      console.error(`Advisories were NOT checked: this registry takes no audits (${result.noEndpoint})`);
      return strict || !isInOrder ? 1 : 0;
    }
    for (const { package: name, range, severity, title, url } of result.advisories) {
      console.error(`${severity}: ${name} ${range}: ${title} (${url})`);
    }
    if (result.advisories.length === 0) console.log('No advisories of high or critical severity');
    return isInOrder && result.advisories.length === 0 ? 0 : 1;
  });

/** What needs no registry. @returns whether everything is as it should be */
function checkOffline(root: string): boolean {
  const { packages, dependencies, problems } = checkLockFile(root, readAllowedLicences(installedLicences));
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) {
    console.log(
      `${dependencies} dependencies are pinned; ${packages} packages have a hash, the public registry and an allowed licence`,
    );
  }
  const script = join(dirname(import.meta.dirname), 'check-install-scripts.mjs');
  const { status } = spawnSync(process.execPath, [script, root], { stdio: 'inherit' });
  return problems.length === 0 && status === 0;
}
