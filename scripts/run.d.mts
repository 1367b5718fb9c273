/** See run.mjs, which is JavaScript to run on versions of Node that know no TypeScript. */
export function problemWithNode(version: string, root: string): string | undefined;
