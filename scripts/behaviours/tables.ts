import type { Behaviour } from './read-behaviours.ts';

/** A service of the local cloud. */
export interface DescribedService {
  readonly name: string;
  readonly behaviours: readonly Behaviour[];
  readonly differences: readonly string[];
}

/** Where the tables are in a document. */
const MARKS = ['<!-- npm run behaviours writes what follows -->', '<!-- npm run behaviours wrote this -->'] as const;

/** The page with every behaviour. */
export function behavioursPage(services: readonly DescribedService[]): string {
  const sections = services
    .filter(({ behaviours }) => behaviours.length > 0)
    .map(({ name, behaviours }) => {
      const rows = behaviours.map(({ page, title }) => [title, `[${pageName(page)}](${page})`]);
      return `## ${name}\n\n${table(['What the suite checks', 'Where AWS says it'], rows)}`;
    });
  return `# What the local cloud does as AWS documents it

Written by \`npm run behaviours\` from the titles of the tests in \`libs/local/src/services\`. Change those, not this page.

${sections.join('\n')}`;
}

/** The tables of the README: how much is checked of each service, and what differs. */
export function summary(services: readonly DescribedService[], behavioursLink: string): string {
  const counts = services.map(({ name, behaviours }) => [
    behaviours.length === 0 ? name : `[${name}](${behavioursLink}#${name})`,
    String(behaviours.length),
    String(new Set(behaviours.map(({ page }) => page)).size),
  ]);
  const differences = services.flatMap(({ name, differences: list }) => list.map((difference) => [name, difference]));
  return `${table(['Service', 'Documented behaviours that are checked', 'Pages of AWS'], counts)}
These differ from AWS. \`GET /_local/services\` on the AWS port says the same of each service:

${table(['Service', 'What differs'], differences)}`;
}

/**
 * A document with its tables replaced.
 * @throws Error when it has no place for them
 */
export function withTables(document: string, tables: string): string {
  const [start, end] = MARKS.map((mark) => document.indexOf(mark));
  if (start === undefined || end === undefined || start < 0 || end < start) {
    throw new Error(`The document has no place for the tables: add the lines ${MARKS.join(' and ')}`);
  }
  return `${document.slice(0, start)}${MARKS[0]}\n\n${tables}\n${document.slice(end)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |\n`;
  return `${line(head)}|${head.map(() => '---|').join('')}\n${rows.map(line).join('')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}

/** e.g. `API_PutRule` of `…/APIReference/API_PutRule.html#x` */
function pageName(page: string): string {
  const { pathname } = new URL(page);
  return pathname.slice(pathname.lastIndexOf('/') + 1).replace(/\.html$/, '');
}
