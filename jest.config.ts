import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** One project per lib and service, so that `npm test -- --selectProjects orders` runs one of them alone. */
const workspaces = ['libs', 'services'].flatMap((group) =>
  readdirSync(new URL(group, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ displayName: entry.name, rootDir: `<rootDir>/${group}/${entry.name}` })),
);

const shared = {
  testEnvironment: new URL('test/jest-environment.mjs', import.meta.url).pathname,
  testMatch: ['<rootDir>/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/.serverless/', '/.esbuild/'],
  modulePathIgnorePatterns: ['/.serverless/', '/.esbuild/'],
  extensionsToTreatAsEsm: ['.ts'],
  setupFiles: [new URL('test/quiet-telemetry.ts', import.meta.url).pathname],
  transform: { '\\.ts$': new URL('test/jest-transform.mjs', import.meta.url).pathname },
};

// The many commands that tests start need not compile themselves each time. https://nodejs.org/api/module.html#module-compile-cache
process.env.NODE_COMPILE_CACHE ??= new URL('.millrace/cache/compiled', import.meta.url).pathname;

export default {
  // For the end-to-end suites on a busy machine; their own deadlines are shorter and say what they waited for.
  testTimeout: 120_000,
  testSequencer: '<rootDir>/test/jest-sequencer.mjs',
  // One suite waits for a running system while another one keeps the processor busy, see test/suite-order.ts. With more of
  // them than cores, functions of the running systems are slower than they may be.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  projects: [
    ...workspaces,
    { displayName: 'test', rootDir: '<rootDir>/test', globalSetup: '<rootDir>/package-services.mjs' },
  ].map((project) => ({ ...shared, ...project })),
};
