import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { jsonText, readArguments, runCommand } from '@millrace/command-line';
import { allowedLicences, readAllowedLicences } from '../supply-chain/licences.ts';
import { shippedPackages } from '../supply-chain/shipped-packages.ts';
import { type Application, billOfMaterials } from './bill-of-materials.ts';

const HELP = `Writes a software bill of materials (CycloneDX 1.6, JSON) of the packages whose code is in the bundles of the functions.

Usage: npm run -s sbom -- [options]

  --output <file>   otherwise to standard output
  --help            show this

Exit codes: 0 done, 1 failed, 2 misused.`;

const root = dirname(dirname(import.meta.dirname));

/** Runs the command; its exit code becomes that of the process. */
export const runSbom = () =>
  runCommand('sbom', async () => {
    const { output, help } = readArguments({
      options: { output: { type: 'string' }, help: { type: 'boolean' } },
    }).values;
    if (help) {
      console.log(HELP);
      return 0;
    }
    const { name, version, description, license }: Application = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const packages = await shippedPackages(root, (line) => console.error(`${line} …`));
    const bill = billOfMaterials({ name, version, description, license }, packages, {
      known: readAllowedLicences(allowedLicences),
      now: new Date(),
    });
    const text = `${jsonText(bill, 2)}\n`;
    if (output === undefined) {
      process.stdout.write(text);
      return 0;
    }
    writeFileSync(output, text);
    console.error(`${packages.length} packages: ${output}`);
    return 0;
  });
