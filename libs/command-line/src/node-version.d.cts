/** @returns what to do; undefined when all is well */
export function problemWithNode(version: string, root: string): string | undefined;
