/** `npm run audit`: what is known to be vulnerable. `npm run audit -- --help` says more. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArguments, runCommand } from '@millrace/command-line';
import { audit } from './supply-chain/advisories.ts';

const HELP = `Asks the registry whether packages have advisories of high or critical severity (npm audit --omit=dev). A registry that
cannot be asked is no failure, but standard error says that nothing was checked.

Usage: npm run audit -- [options]

  --strict   a registry that cannot be asked is a failure
  --help     show this

Exit codes: 0 nothing known, 1 advisories or not checked, 2 misused.`;

await runCommand('audit', async () => {
  const { strict, help } = readArguments({
    options: { strict: { type: 'boolean', default: false }, help: { type: 'boolean' } },
  }).values;
  if (help) {
    console.log(HELP);
    return 0;
  }
  const result = await audit(dirname(dirname(fileURLToPath(import.meta.url))), 'high');
  if ('noEndpoint' in result) {
    console.error(`NOTHING WAS CHECKED: this registry takes no audits (${result.noEndpoint})`);
    return strict ? 1 : 0;
  }
  for (const { package: name, range, severity, title, url } of result.advisories) {
    console.error(`${severity}: ${name} ${range}: ${title} (${url})`);
  }
  if (result.advisories.length > 0) return 1;
  console.log('No advisories of high or critical severity');
  return 0;
});
