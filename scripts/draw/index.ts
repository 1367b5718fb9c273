import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments, runCommand } from '@millrace/command-line';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import { type Definition, mermaidOf } from './mermaid.ts';

const HELP = `Draws state machines in the READMEs of their services. A README says where:

  <!-- drawn from checkout.asl.json by npm run draw -->
  <!-- end of drawing -->

Usage: npm run draw -- [--check]

  --check  write nothing, and exit with 1 when a drawing is out of date
  --help   this text`;

const DRAWING = /(<!-- drawn from (\S+\.asl\.json) by npm run draw -->\n)[\s\S]*?(<!-- end of drawing -->)/g;

/** READMEs whose drawings are out of date, as they should be, by their path in the repository. */
export function outdatedDrawings(root: string): Record<string, string> {
  const entries = readdirSync(join(root, 'services')).flatMap((service) => {
    const folder = join('services', service);
    const path = join(folder, 'README.md');
    const text = readFileSync(join(root, path), 'utf8');
    const drawn = withDrawings(text, (file) => JSON.parse(readFileSync(join(root, folder, file), 'utf8')));
    return drawn === text ? [] : [[path, drawn] as const];
  });
  return Object.fromEntries(entries);
}

/** A README with its drawings made anew. */
export function withDrawings(text: string, read: (file: string) => Definition): string {
  return text.replaceAll(DRAWING, (_, begin: string, file: string, end: string) => {
    return `${begin}\n\`\`\`mermaid\n${mermaidOf(read(file))}\n\`\`\`\n\n${end}`;
  });
}

async function main(): Promise<number> {
  const { check, help } = readArguments({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } }).values;
  if (help) {
    console.log(HELP);
    return 0;
  }
  const root = findWorkspaceRoot(import.meta.dirname);
  const outdated = Object.entries(outdatedDrawings(root));
  if (check) {
    for (const [path] of outdated) console.error(`${path} is out of date: run npm run draw`);
    return outdated.length === 0 ? 0 : 1;
  }
  for (const [path, text] of outdated) writeFileSync(join(root, path), text);
  console.log(outdated.length === 0 ? 'Nothing has changed' : `Wrote ${outdated.map(([path]) => path).join(', ')}`);
  return 0;
}

/** Runs the command; its exit code becomes that of the process. */
export const runDraw = () => runCommand('draw', main);
