import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Documents, runGenerator } from '../generated-documents/index.ts';
import { type Definition, mermaidOf } from './mermaid.ts';

const HELP = `Draws state machines in the READMEs of their services. A README says where:

  <!-- drawn from checkout.asl.json by npm run draw -->
  <!-- end of drawing -->

Usage: npm run draw -- [--check]

  --check  write nothing, and exit with 1 when a drawing is out of date
  --help   this text`;

const DRAWING = /(<!-- drawn from (\S+\.asl\.json) by npm run draw -->\n)[\s\S]*?(<!-- end of drawing -->)/g;

/** The READMEs of services with their drawings as they should be, by their path in the repository. */
export function drawings(root: string): Documents {
  const entries = readdirSync(join(root, 'services')).map((service) => {
    const folder = join('services', service);
    const path = join(folder, 'README.md');
    const read = (file: string) => readFileSync(join(root, folder, file), 'utf8');
    return [path, withDrawings(read('README.md'), (file) => JSON.parse(read(file)))] as const;
  });
  return Object.fromEntries(entries);
}

/** A README with its drawings made anew. */
export function withDrawings(text: string, read: (file: string) => Definition): string {
  return text.replaceAll(DRAWING, (_, begin: string, file: string, end: string) => {
    return `${begin}\n\`\`\`mermaid\n${mermaidOf(read(file))}\n\`\`\`\n\n${end}`;
  });
}

/** Runs the command; its exit code becomes that of the process. */
export const runDraw = () => runGenerator('draw', HELP, drawings);
