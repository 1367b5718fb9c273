import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { HandlerAnswer, HandlerOrder } from './handler-process.ts';

export type { HandlerAnswer, HandlerContract, HandlerOrder } from './handler-process.ts';

/** Loading takes a twentieth of a second: a module that needs longer than this waits for something. */
const LOADED_WITHIN_MS = 30_000;

/**
 * Loads handlers and asks each for its contracts. To load a module is what Lambda does before the first event, so nothing
 * may happen but reading variables and making clients. To be sure, they are loaded in a process that may not write files,
 * start processes or use the network, and that gets only the given variables: no credentials.
 * https://nodejs.org/api/permissions.html
 *
 * @returns an answer for each handler, in the same order
 */
export async function contractsOfHandlers(orders: readonly HandlerOrder[]): Promise<HandlerAnswer[]> {
  if (orders.length === 0) return [];
  const child = fork(fileURLToPath(new URL('handler-process.ts', import.meta.url)), {
    execArgv: ['--permission', '--allow-fs-read=*', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
    timeout: LOADED_WITHIN_MS,
  });
  const answers: HandlerAnswer[] = [];
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('message', (answer: HandlerAnswer) => answers.push(answer));
    child.on('close', (_code, signal) => {
      const reason = signal
        ? `is still being loaded after ${LOADED_WITHIN_MS / 1000} s`
        : 'ends the process when it is loaded';
      while (answers.length < orders.length) answers.push({ error: reason });
      resolve(answers);
    });
    child.send(orders);
  });
}
