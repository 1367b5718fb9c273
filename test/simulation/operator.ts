import { join } from 'node:path';
import type { Operation } from '@millrace/dead-letters/operations';
import type { Container } from './container.ts';
import { MALFORMED } from './customers.ts';
import type { Deployment } from './deployment.ts';
import type { World } from './world.ts';

/** A round takes no longer than this; what hangs is ended by hand. In ms. */
const ROUND_MS = 20 * 60_000;
const PAUSE_MS = 5 * 60_000;
/** Rounds after which what is still dead is dead for good. */
const MAX_ROUNDS = 12;

/** The file behind `npm run redrive -- redrive`. */
export function operationsFile({ root }: Deployment): string {
  return join(root, 'libs/dead-letters/src/operations/index.ts');
}

/** Somebody who looks at the dead-letter queues, and puts back what is there with the real command's code. */
export class Operator {
  readonly #world: World;
  #rounds = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Puts everything back. @returns whether there was anything, and another round may help */
  async round(): Promise<boolean> {
    const { queues, scheduler, trace } = this.#world;
    const names = queues.deadLetterQueuesWith(({ body }) => body !== MALFORMED);
    if (names.length === 0 || this.#rounds >= MAX_ROUNDS) return false;
    this.#rounds += 1;
    let pause = PAUSE_MS;
    let callsLeft = Number.POSITIVE_INFINITY;
    for (const { what, amount } of this.#world.faultsAt('operator')) {
      if (what === 'comes late') pause = amount;
      else callsLeft = amount;
    }
    scheduler.after(pause, () => {
      for (const name of names) {
        trace.add('operator', `redrives ${name}`);
        const container = this.#world.newContainer('operator');
        this.#redrive(container, name, callsLeft);
      }
    });
    await scheduler.run();
    return true;
  }

  /** @param callsLeft what it still calls before it dies, once it has found the queue */
  #redrive(container: Container, name: string, callsLeft: number): void {
    const { code, deployment, scheduler } = this.#world;
    const { SQSClient } = sdk;
    const limit = scheduler.after(ROUND_MS, () => container.kill());
    const end = (): void => limit.cancel();
    container.onDeath = end;
    container.run(() => {
      const { StageQueues, redrive } = code.start(operationsFile(deployment), {}) as unknown as OperationsModule;
      const sqs = new SQSClient({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
      const work = async (): Promise<void> => {
        const stage = await StageQueues.load(sqs, 'dev');
        const queue = stage.find(name);
        container.callsLeft = callsLeft;
        await redrive(
          {
            sqs,
            queues: stage,
            queue, // What is no event dies again: the operator has looked, and leaves it.
            select: ({ event }: { event?: object }) => event !== undefined,
            startedAt: new Date(),
            concurrency: 2,
          },
          async () => undefined,
        );
      };
      work().then(end, end);
    });
  }
}

interface OperationsModule {
  StageQueues: { load: (sqs: object, stage: string) => Promise<Operation['queues']> };
  redrive: (operation: Operation, group: () => Promise<undefined>) => Promise<object>;
}

let sdk: { SQSClient: new (configuration: object) => Operation['sqs'] };

/** Loads what the operator needs of the SDK, below the simulated network. */
export async function prepareOperator(): Promise<void> {
  sdk = (await import('@aws-sdk/client-sqs')) as unknown as typeof sdk;
}
