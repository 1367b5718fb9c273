import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A contract that is refused is wrong where it calls this library, not in it. */
const contractLibrary = dirname(fileURLToPath(import.meta.resolve('@millrace/events')));

/**
 * The place of a mistake because of which a module could not be imported. The module that was asked for is seldom the one
 * that is wrong: it imports others.
 *
 * @returns `<path>:<line>`, or the path alone; undefined where the error does not tell
 * @example await import(url).catch((error) => console.error(placeOf(error)))
 */
export function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, stack = '' } = error;
  // Not found: https://nodejs.org/api/errors.html#err_module_not_found
  const importer = / imported from (.+)$/.exec(message)?.[1];
  if (importer !== undefined) return importer;
  // A syntax error begins with its place, and what a module throws has the module among its frames.
  const [first = '', ...frames] = stack.split('\n');
  const inSource = /^((?:file:\/\/)?\/.+):(\d+)$/.exec(first);
  if (inSource) return place(inSource);
  for (const frame of frames) {
    const found = /(file:\/\/\/.+?):(\d+):\d+\)?$/.exec(frame);
    if (found && !place(found).startsWith(contractLibrary)) return place(found);
  }
  return undefined;
}

function place([, file = '', line]: RegExpExecArray): string {
  return `${file.startsWith('file:') ? fileURLToPath(file) : file}:${line}`;
}
