/**
 * What runs inside a container: loads the handler's module (the init phase), then answers one invocation after another, as Lambda's
 * Node.js runtime does.
 *
 * On AWS a container is frozen between invocations; here its timers and open connections go on, which only a function that leaves
 * work behind after answering can notice.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
import { parentPort, workerData } from 'node:worker_threads';
import { FunctionRuntime } from './function-runtime.ts';
import { leadThroughPort } from './intercept.ts';
import type { ContainerMessage, WorkerData } from './messages.ts';
import { hookProcess } from './process-hooks.ts';

const port = parentPort;
if (!port) throw new Error('worker.ts runs in a worker thread');
const data = workerData as WorkerData;
const runtime = new FunctionRuntime(data, (message) => port.postMessage(message), process.exit);
hookProcess(
  () => runtime,
  () => undefined,
);
if (data.awsUrl !== undefined) leadThroughPort(data.awsUrl, () => runtime.aws);
// From the start: a module may send requests while it is loaded.
port.on('message', (message: Exclude<ContainerMessage, { type: 'exit' }>) => runtime.receive(message));
delete process.env.NODE_COMPILE_CACHE;
await runtime.load();
