/**
 * Loads the bundles of handlers and tells which events each handles. It runs in a process of its own, without the right to
 * write files or to start processes: see `handler-contracts.ts`.
 */
import dgram from 'node:dgram';
import { createRequire } from 'node:module';
import net from 'node:net';

/** One handler to load. */
export interface HandlerOrder {
  /** Absolute path of the bundle. */
  file: string;
  /** The name of the export: `handler`. */
  name: string;
  /** All the variables that it gets. */
  environment: Record<string, string>;
}

/** A contract, as far as it can be compared with a template. */
export interface HandlerContract {
  detailType: string;
  accepts: string[];
  /** `transformed` for variants on the analytics bus. */
  category: string;
}

/** What was found; `contracts` is missing where the handler names none that it handles, `emits` where it names none that it emits. */
export type HandlerAnswer = { contracts?: HandlerContract[]; emits?: HandlerContract[] } | { error: string };

const require = createRequire(import.meta.url);

const refuse = () => {
  throw new Error('the network must not be used while a handler is loaded');
};

function load({ file, name, environment }: HandlerOrder): HandlerAnswer {
  process.env = { ...environment };
  try {
    const handler: unknown = require(file)[name];
    if (typeof handler !== 'function') return { error: `exports no function "${name}"` };
    const { contracts, emits } = handler as Partial<Record<'contracts' | 'emits', readonly HandlerContract[]>>;
    return {
      ...(Array.isArray(contracts) && { contracts: contracts.map(comparable) }),
      ...(Array.isArray(emits) && { emits: emits.map(comparable) }),
    };
  } catch (error) {
    return { error: `cannot be loaded: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function comparable({ detailType, accepts, category }: HandlerContract): HandlerContract {
  return { detailType, accepts: [...accepts], category };
}

// What a module starts while it is loaded must neither reach anything nor end this process before its answer.
net.Socket.prototype.connect = refuse;
dgram.Socket.prototype.send = refuse;
dgram.Socket.prototype.bind = refuse;
process.on('uncaughtException', () => {});

process.once('message', async (orders: HandlerOrder[]) => {
  for (const order of orders) {
    const answer = load(order);
    await new Promise((resolve) => process.send?.(answer, undefined, undefined, resolve));
  }
  process.exit();
});

// Whoever gave the order is gone.
process.once('disconnect', () => process.exit());
