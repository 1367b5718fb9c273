import { dirname } from 'node:path';
import { formatTable, readArguments, runCommand } from '@millrace/command-line';
import { allowedLicences, licenceProblems, readAllowedLicences } from '../supply-chain/licences.ts';
import { shippedPackages } from '../supply-chain/shipped-packages.ts';

const root = dirname(dirname(import.meta.dirname));

const HELP = `Lists the packages whose code is in the bundles of the functions, with their licences and the services that have them.

Usage: npm run licences -- [options]

  --allowed <file>   SPDX ids of the licences that are allowed, with reasons
                     (scripts/supply-chain/allowed-licences.json)
  --help             show this

Exit codes: 0 all are allowed, 1 not all, 2 misused.`;

/** Runs the command; its exit code becomes that of the process. */
export const runLicences = () =>
  runCommand('licences', async () => {
    const { allowed, help } = readArguments({
      options: { allowed: { type: 'string', default: allowedLicences }, help: { type: 'boolean' } },
    }).values;
    if (help) {
      console.log(HELP);
      return 0;
    }
    const packages = await shippedPackages(root, (line) => console.error(`${line} …`));
    const rows = packages.map(({ name, version, licence = '–', services }) => [
      name,
      version,
      licence,
      services.join(', '),
    ]);
    console.log(
      formatTable(
        ['PACKAGE', 'VERSION', 'LICENCE', 'SERVICES'].map((title) => ({ title })),
        rows,
      ),
    );
    const problems = licenceProblems(packages, readAllowedLicences(allowed));
    for (const problem of problems) console.error(problem);
    return problems.length > 0 ? 1 : 0;
  });
