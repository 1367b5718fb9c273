import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { documentClient, type EventBridge, eventBridge, PutEventsCommand, paginateScan } from '@millrace/aws';
import { eventually } from '@millrace/testing';

export interface PipelineOptions {
  /** Put under load, at most. */
  events: number;
  /** After so long no more are put: one of two clouds may be slow. */
  seconds: number;
  /** Put first and not counted. */
  warmUp: number;
  /** Put one at a time. */
  lone: number;
  /** On their way at once under load. */
  inFlight: number;
}

export interface PipelineFigures {
  events: number;
  eventsPerSecond: number;
  /** From PutEvents to the item in the table, in ms. */
  lone: number[];
  times: number[];
  /** Events that are in the table, of all that were put. */
  stored: number;
  put: number;
}

const BUS = 'millrace-pipeline-dev';
const TABLE = 'millrace-pipeline-dev';
/** Of PutEvents. */
const ENTRIES = 10;
const SENDERS = 8;
/** An event that is not stored by then is lost. */
const STORED_WITHIN_MS = 120_000;

/**
 * Puts events on the bus of test/fixtures/pipeline and measures when each is in the table: one at a time, and as many as are taken with a
 * number of them on their way. At the end it looks for each of them in the table.
 *
 * @param awsUrl of a cloud where that service is deployed
 * @param signal ends it
 * @throws Error when an event is refused, or is not stored within two minutes
 * @example const { eventsPerSecond } = await measurePipeline(awsUrl, options, signal);
 */
export async function measurePipeline(
  awsUrl: string,
  { events, seconds, warmUp, lone, inFlight }: PipelineOptions,
  signal?: AbortSignal,
): Promise<PipelineFigures> {
  await using pipeline = await Pipeline.open(awsUrl, signal);
  await pipeline.load({ events: warmUp, seconds, inFlight });
  const loneTimes: number[] = [];
  for (let index = 0; index < lone; index += 1) {
    loneTimes.push(...(await pipeline.load({ events: 1, seconds, inFlight: 1 })).times);
  }
  const { times, ms } = await pipeline.load({ events, seconds, inFlight });
  return {
    events: times.length,
    eventsPerSecond: (times.length * 1000) / ms,
    lone: loneTimes,
    times,
    stored: await pipeline.storedOfPut(),
    put: pipeline.put,
  };
}

/** A pipeline that tells which events are stored. */
class Pipeline implements AsyncDisposable {
  readonly #awsUrl: string;
  readonly #events: EventBridge;
  /** Functions connect to it and tell which events are stored. */
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #signal: AbortSignal | undefined;
  readonly #prefix = `${process.pid}-${Date.now()}`;
  /** When it was put, by id, until it is stored. */
  readonly #waiting = new Map<string, number>();
  readonly #times: number[] = [];
  #lastAt = 0;
  #changed = Promise.withResolvers<void>();
  /** How many were put. */
  put = 0;

  private constructor(awsUrl: string, server: Server, signal: AbortSignal | undefined) {
    this.#awsUrl = awsUrl;
    this.#server = server;
    this.#signal = signal;
    // A slow cloud may take its time.
    this.#events = eventBridge({ ...clientOptions(awsUrl), limits: { responseMs: STORED_WITHIN_MS } });
    server.on('connection', (connection) => {
      this.#connections.add(connection);
      // A container that ends cuts its connection off.
      connection.on('error', () => undefined);
      createInterface({ input: connection }).on('line', (line) => this.#hear(JSON.parse(line)));
    });
    signal?.addEventListener('abort', () => this.#changed.resolve(), { once: true });
  }

  static async open(awsUrl: string, signal?: AbortSignal): Promise<Pipeline> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Pipeline(awsUrl, server, signal);
  }

  /** Puts events until there are enough or the time is over, and waits until all are stored. `ms`: from the first to the last. */
  async load({ events, seconds, inFlight }: Pick<PipelineOptions, 'events' | 'seconds' | 'inFlight'>) {
    this.#times.length = 0;
    const started = clockMs();
    let left = events;
    const sender = async (): Promise<void> => {
      while (left > 0 && clockMs() - started < seconds * 1000) {
        const count = Math.min(left, ENTRIES);
        if (this.#waiting.size > 0 && this.#waiting.size + count > inFlight) {
          await this.#next();
          continue;
        }
        left -= count;
        await this.#send(count);
      }
    };
    await Promise.all(Array.from({ length: Math.min(SENDERS, Math.ceil(events / ENTRIES)) }, sender));
    while (this.#waiting.size > 0) await this.#next();
    return { times: [...this.#times], ms: this.#lastAt - started };
  }

  /** How many of all that were put are in the table. */
  async storedOfPut(): Promise<number> {
    const client = documentClient(clientOptions(this.#awsUrl));
    const found = new Set<string>();
    for await (const { Items = [] } of paginateScan(client, { TableName: TABLE, ConsistentRead: true })) {
      for (const { pk } of Items) if (String(pk).startsWith(this.#prefix)) found.add(String(pk));
    }
    return found.size;
  }

  async #send(count: number): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    const ids = Array.from({ length: count }, () => {
      this.put += 1;
      return `${this.#prefix}-${this.put}`;
    });
    const at = clockMs();
    for (const id of ids) this.#waiting.set(id, at);
    const Entries = ids.map((pk) => ({
      EventBusName: BUS,
      Source: 'bench.pipeline',
      DetailType: 'Measured',
      Detail: JSON.stringify({ pk, port }),
    }));
    const { FailedEntryCount } = await this.#events.send(new PutEventsCommand({ Entries }));
    if (FailedEntryCount !== 0) throw new Error(`PutEvents refused ${FailedEntryCount} events`);
  }

  #hear({ at, ids }: { at: number; ids: string[] }): void {
    for (const id of ids) {
      const since = this.#waiting.get(id);
      // One that was delivered again is stored already.
      if (since === undefined) continue;
      this.#waiting.delete(id);
      this.#times.push(at - since);
      this.#lastAt = Math.max(this.#lastAt, at);
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Waits until something more is stored. */
  async #next(): Promise<void> {
    this.#signal?.throwIfAborted();
    const timer = setTimeout(() => this.#changed.reject(new Error(this.#late())), STORED_WITHIN_MS);
    try {
      await this.#changed.promise;
    } finally {
      clearTimeout(timer);
    }
    this.#signal?.throwIfAborted();
  }

  #late(): string {
    return `${this.#waiting.size} events were put and are not stored after ${STORED_WITHIN_MS / 1000} s`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changed.promise.catch(() => undefined);
    for (const connection of this.#connections) connection.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Waits until the function of the pipeline stores events: its mapping may start later than its deployment ends. */
export async function untilPipelineRuns(awsUrl: string, signal?: AbortSignal): Promise<void> {
  await eventually(() => measurePipeline(awsUrl, { events: 1, seconds: 5, warmUp: 1, lone: 0, inFlight: 1 }, signal), {
    deadlineMs: STORED_WITHIN_MS,
    ...(signal && { signal }),
  });
}

function clientOptions(endpoint: string) {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  return { endpoint, region: 'us-east-1', credentials };
}

/** The clock that all processes of a machine share, in ms. */
function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
