import type { FunctionRuntime } from './function-runtime.ts';

/** The streams that functions write to. */
const streams = ['stdout', 'stderr'] as const;

/**
 * Leads what happens to the whole thread to the function that it is about: output, exceptions, rejections.
 *
 * @param current the function whose code runs; undefined when that is not known
 * @param unknown called for an error that is of no known function
 */
export function hookProcess(
  current: () => FunctionRuntime | undefined,
  unknown: (report: (runtime: FunctionRuntime) => void) => void,
): void {
  for (const stream of streams) {
    // A worker's own streams reach the parent out of step with its messages; through the port, output stays before the answer.
    process[stream].write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      current()?.write(stream, text);
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') queueMicrotask(() => callback());
      return true;
    };
  }
  const report = (to: (runtime: FunctionRuntime) => void): void => {
    const runtime = current();
    if (runtime) to(runtime);
    else unknown(to);
  };
  process.on('uncaughtException', (error) => report((runtime) => runtime.uncaught(error)));
  process.on('unhandledRejection', (reason) => report((runtime) => runtime.unhandled(reason)));
}
