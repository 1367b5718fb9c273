import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The page that has the figures of all processes. */
export const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'choreography-or-orchestration.md');

const MEASURED = /(<!-- measured by npm run cost -- [^\n]* -->\n)([\s\S]*?)(<!-- end of measurement -->)/;

/** The table of the page as it was measured last. */
export function measuredTable(page: string): string {
  return MEASURED.exec(page)?.[2]?.trim() ?? '';
}

/**
 * Puts a table into the page in place of the one that it has.
 * @throws Error when it has none
 */
export function withComparison(page: string, table: string): string {
  if (!MEASURED.test(page)) throw new Error(`${PAGE} has no "measured by npm run cost"`);
  return page.replace(MEASURED, (_, begin: string, _table: string, end: string) => `${begin}\n${table}\n\n${end}`);
}

/** Writes a table into the page. */
export function writeComparison(table: string): void {
  writeFileSync(PAGE, withComparison(readFileSync(PAGE, 'utf8'), table));
}
