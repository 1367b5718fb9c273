import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAllowed, parseLicence } from './licence-expression.ts';
import { idOf, type ShippedPackage } from './shipped-packages.ts';

/** The licences that packages may have unless another list is given. */
export const allowedLicences = join(import.meta.dirname, 'allowed-licences.json');

/**
 * Reads a list of allowed licences: SPDX ids, each with the reason why it is allowed.
 * @throws Error when the file is not there or not JSON
 */
export function readAllowedLicences(file: string): ReadonlySet<string> {
  return new Set(Object.keys(JSON.parse(readFileSync(file, 'utf8'))));
}

/**
 * Checks under which licences packages may be used.
 * @param allowed SPDX ids
 * @returns a line for each package that may not be shipped, naming it and its licence
 */
export function licenceProblems(packages: readonly ShippedPackage[], allowed: ReadonlySet<string>): string[] {
  return packages.flatMap((shipped) => {
    const { licence, services } = shipped;
    const id = `${idOf(shipped)} (in ${services.join(', ')})`;
    if (licence === undefined) return [`${id} names no licence`];
    const expression = parseLicence(licence);
    if (expression === undefined) return [`${id} has a licence that is no SPDX expression: "${licence}"`];
    return isAllowed(expression, allowed) ? [] : [`${id} has a licence that is not allowed: ${licence}`];
  });
}
