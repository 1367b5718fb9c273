// Jest gives each test file modules of its own, and compiles all of them anew: itself, zod and the AWS SDKs for each of some
// 160 files, which was half of their time. Here the code that V8 has made of a source the first time does for the others.
// https://nodejs.org/api/vm.html#vmcompilefunctioncode-params-options, https://nodejs.org/api/vm.html#sourcetextmodulecreatecacheddata
import vm from 'node:vm';

/** What this process has compiled of one kind, by file. V8 itself compares no more than the lengths of the sources. */
class CodeCache {
  #compiled = new Map();

  /** @returns V8's code of the source, or undefined when it has not been compiled yet */
  get(file, source) {
    const compiled = this.#compiled.get(file);
    return compiled?.source === source ? compiled.code : undefined;
  }

  set(file, source, code) {
    this.#compiled.set(file, { source, code });
  }
}

const { compileFunction, SourceTextModule } = vm;
const functions = new CodeCache();
const modules = new CodeCache();

vm.compileFunction = (source, parameters, options) => {
  const cachedData = functions.get(options.filename, source);
  if (cachedData) return compileFunction(source, parameters, { ...options, cachedData });
  const compiled = compileFunction(source, parameters, { ...options, produceCachedData: true });
  functions.set(options.filename, source, compiled.cachedData);
  return compiled;
};

vm.SourceTextModule = class extends SourceTextModule {
  constructor(source, options) {
    const cachedData = modules.get(options.identifier, source);
    super(source, { ...options, cachedData });
    if (!cachedData) modules.set(options.identifier, source, this.createCachedData());
  }
};

export { default } from 'jest-environment-node';
