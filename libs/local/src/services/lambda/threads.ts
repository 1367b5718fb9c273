import { EventEmitter } from 'node:events';
import type { EventLoopUtilization } from 'node:perf_hooks';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { FunctionDefinition } from './function-definition.ts';
import type { ContainerMessage, StartMessage, WorkerData, WorkerMessage } from './worker/messages.ts';

/** What a container starts with. */
export interface ThreadSpec {
  definition: FunctionDefinition;
  data: WorkerData;
  /** Becomes the function's `process.env`. */
  environment: Record<string, string>;
  /** Where Node keeps compiled code. */
  compileCacheDirectory: string;
}

interface ThreadEvents {
  message: [WorkerMessage];
  /** Comes before the exit. */
  error: [NodeJS.ErrnoException];
  /** The last one. */
  exit: [code: number];
}

/** Where a container runs. */
export interface Thread extends EventEmitter<ThreadEvents> {
  post(message: ContainerMessage): void;
  /** Ends the container, whatever it does. `exit` follows. */
  terminate(): void;
  /** How long the thread has computed and waited so far. */
  loopTimes(): EventLoopUtilization;
}

/** Gives each container a place to run. */
export type OpenThread = (spec: ThreadSpec) => Thread;

/**
 * Of the heap of a thread, for objects that have just been made. Each thread may have 192 MiB of them unless told otherwise, takes
 * more the longer it works, and gives nothing back: with a thread for each function, most of the runtime's memory.
 */
const YOUNG_GENERATION_MB = 16;
/** Of a thread that functions share: their own limits cannot be told apart there. */
const SHARED_OLD_GENERATION_MB = 1024;
/** How long a shared thread may take to let go of a container, in ms. */
const STUCK_AFTER_MS = 1_000;

/** A worker thread for the container alone: with its own memory limit, and ended with it. */
export const ownThread: OpenThread = ({ definition, data, environment, compileCacheDirectory }) => {
  const thread = new EventEmitter<ThreadEvents>();
  const worker = new Worker(new URL('./worker/worker.ts', import.meta.url), {
    name: definition.name,
    // Without it every container would strip the types from worker.ts and compile the bundle again: 150 ms instead of 60.
    env: { ...environment, NODE_COMPILE_CACHE: compileCacheDirectory },
    workerData: data,
    execArgv: [],
    resourceLimits: {
      maxOldGenerationSizeMb: definition.memoryMb,
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
    },
  });
  worker.on('message', (message: WorkerMessage) => thread.emit('message', message));
  worker.on('error', (error: NodeJS.ErrnoException) => thread.emit('error', error));
  worker.on('exit', (code) => thread.emit('exit', code));
  return Object.assign(thread, {
    post: (message: ContainerMessage) => worker.postMessage(message),
    terminate: () => void worker.terminate(),
    loopTimes: () => worker.performance.eventLoopUtilization(),
  });
};

/** A worker thread of functions that share their code. */
interface SharedWorker {
  worker: Worker;
  /** By function. */
  threads: Map<string, SharedThread>;
  /** It takes no more containers. */
  ending: boolean;
}

function end(shared: SharedWorker): void {
  shared.ending = true;
  void shared.worker.terminate();
}

/**
 * Lets the functions of a service share a worker thread, which takes a third of the memory. A second container of a function gets a
 * second thread of its service.
 *
 * A function keeps its environment, its log and the state of its modules. It loses its memory limit, and it cannot be stopped: after a
 * timeout its code goes on, unseen. One that does not give the thread back takes the other functions of the thread with it.
 */
export function sharedThreads(): OpenThread {
  const services = new Map<string, SharedWorker[]>();
  return (spec) => {
    const { codeDirectory, name } = spec.definition;
    const workers = (services.get(codeDirectory) ?? []).filter(({ ending }) => !ending);
    services.set(codeDirectory, workers);
    let shared = workers.find(({ threads }) => !threads.has(name));
    if (!shared) {
      shared = startShared(spec);
      workers.push(shared);
    }
    return new SharedThread(shared, spec);
  };
}

function startShared({ compileCacheDirectory }: ThreadSpec): SharedWorker {
  const worker = new Worker(new URL('./worker/shared.ts', import.meta.url), {
    name: 'functions',
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: compileCacheDirectory },
    execArgv: [],
    resourceLimits: {
      maxOldGenerationSizeMb: SHARED_OLD_GENERATION_MB,
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
    },
  });
  const shared: SharedWorker = { worker, threads: new Map(), ending: false };
  worker.on('error', (error: NodeJS.ErrnoException) => {
    for (const thread of shared.threads.values()) thread.emit('error', error);
  });
  worker.on('exit', (code) => {
    shared.ending = true;
    for (const thread of [...shared.threads.values()]) thread.leave(code);
  });
  return shared;
}

/** The part of a shared thread that is one container's. */
class SharedThread extends EventEmitter<ThreadEvents> implements Thread {
  readonly #shared: SharedWorker;
  readonly #name: string;
  readonly #port: MessagePort;
  #stuck: NodeJS.Timeout | undefined;

  constructor(shared: SharedWorker, { definition, data, environment }: ThreadSpec) {
    super();
    this.#shared = shared;
    this.#name = definition.name;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on('message', (message: WorkerMessage) => {
      if (message.type === 'exited') this.leave(message.code);
      else this.emit('message', message);
    });
    shared.threads.set(this.#name, this);
    shared.worker.postMessage({ data, environment, port: port2 } satisfies StartMessage, [port2]);
  }

  post(message: ContainerMessage): void {
    this.#port.postMessage(message);
  }

  loopTimes(): EventLoopUtilization {
    return this.#shared.worker.performance.eventLoopUtilization();
  }

  terminate(): void {
    if (this.#stuck || this.#shared.threads.get(this.#name) !== this) return;
    this.#port.postMessage({ type: 'exit' } satisfies ContainerMessage);
    this.#stuck = setTimeout(() => end(this.#shared), STUCK_AFTER_MS);
  }

  /** The container has ended. */
  leave(code: number): void {
    clearTimeout(this.#stuck);
    this.#port.close();
    const { threads } = this.#shared;
    threads.delete(this.#name);
    if (threads.size === 0) end(this.#shared);
    this.emit('exit', code);
  }
}
