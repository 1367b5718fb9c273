/**
 * What runs inside a thread that functions of a service share. Each has its own environment, log, modules and way out; the heap, the
 * globals and the thread itself are shared.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { FunctionRuntime } from './function-runtime.ts';
import { leadThroughPort } from './intercept.ts';
import type { ContainerMessage, StartMessage } from './messages.ts';
import { hookProcess } from './process-hooks.ts';

interface Shared {
  runtime: FunctionRuntime;
  environment: Record<string, string | undefined>;
  exit: (code: number) => void;
}

/** Ends the code of a function that calls `process.exit`, which must not return. */
class ExitSignal extends Error {}

const all = new Set<Shared>();
const running = new AsyncLocalStorage<Shared>();
const ofThread = { ...process.env };

delete ofThread.NODE_COMPILE_CACHE;
process.env = environmentOf(() => running.getStore()?.environment ?? ofThread);
const exitThread = process.exit;
process.exit = (code): never => {
  const shared = running.getStore();
  if (!shared) return exitThread(code);
  shared.exit(Number(code ?? process.exitCode ?? 0));
  throw new ExitSignal('The function has ended');
};
hookProcess(
  () => running.getStore()?.runtime,
  (report) => {
    // Whose it is cannot be told.
    for (const { runtime } of all) report(runtime);
  },
);

/** An object that is that of the function which runs. */
function environmentOf(current: () => Record<string, string | undefined>): NodeJS.ProcessEnv {
  return new Proxy<NodeJS.ProcessEnv>(
    {},
    {
      get: (_, name) => Reflect.get(current(), name),
      set: (_, name, value) => Reflect.set(current(), name, String(value)),
      has: (_, name) => Reflect.has(current(), name),
      deleteProperty: (_, name) => Reflect.deleteProperty(current(), name),
      ownKeys: () => Reflect.ownKeys(current()),
      getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(current(), name),
      defineProperty: (_, name, descriptor) => Reflect.defineProperty(current(), name, descriptor),
    },
  );
}

let isIntercepted = false;

function start({ data, environment, port }: StartMessage): void {
  const exit = (code: number): void => {
    if (!all.delete(shared)) return;
    port.postMessage({ type: 'exited', code });
    port.close();
  };
  const post = (message: object): void => {
    // What goes on after the end is not seen.
    if (all.has(shared)) port.postMessage(message);
  };
  const shared: Shared = { runtime: new FunctionRuntime(data, post, exit), environment, exit };
  all.add(shared);
  if (data.awsUrl !== undefined && !isIntercepted) {
    isIntercepted = true;
    leadThroughPort(data.awsUrl, () => running.getStore()?.runtime.aws);
  }
  running.run(shared, () => {
    listen(port, shared);
    void shared.runtime.load();
  });
}

function listen(port: MessagePort, shared: Shared): void {
  port.on('message', (message: ContainerMessage) =>
    running.run(shared, () => {
      if (message.type === 'exit') shared.exit(0);
      else shared.runtime.receive(message);
    }),
  );
}

parentPort?.on('message', start);
