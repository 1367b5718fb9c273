// Jest runs TypeScript as Node itself does, by stripping the types, so tests and production share one compiler.
import { stripTypeScriptTypes } from 'node:module';

export default {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
};
