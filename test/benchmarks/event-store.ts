/**
 * `npm run bench:event-store`: loads aggregates of different lengths and runs commands on them, with and
 * without snapshots by turns, in the DynamoDB of the local runtime, and prints medians and requests.
 */
import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { documentClient } from '@millrace/aws';
import { readArguments, readNumber, runCommand } from '@millrace/command-line';
import { type Aggregate, CommandRunner, DynamoDbEventStore } from '@millrace/event-store';
import { startTestDynamoDb } from '@millrace/testing/dynamodb';

/** About 300 bytes, as events of an order have. */
interface Booked {
  type: 'Booked';
  amount: number;
  reference: string;
  text: string;
}

/** Times in ms, and the requests that were sent in them. */
class Samples {
  readonly #times: number[] = [];
  readonly #requests: number[] = [];

  add({ time, requests }: { time: number; requests: number }): void {
    this.#times.push(time);
    this.#requests.push(requests);
  }

  get median(): number {
    return this.#times.toSorted((a, b) => a - b)[Math.floor(this.#times.length / 2)] ?? Number.NaN;
  }

  /** The fewest and the most. */
  get requests(): string {
    return [...new Set([Math.min(...this.#requests), Math.max(...this.#requests)])].join('–');
  }
}

function ms(time: number): string {
  return `${time.toFixed(1)} ms`;
}

const account: Aggregate<{ balance: number; bookings: number }, number, Booked> = {
  initialState: { balance: 0, bookings: 0 },
  streamOf: (id) => `ACCOUNT#${id}`,
  decide: (amount) => [booked(amount)],
  evolve: ({ balance, bookings }, { amount }) => ({ balance: balance + amount, bookings: bookings + 1 }),
};

function booked(amount: number): Booked {
  return { type: 'Booked', amount, reference: randomUUID(), text: 'Two bags of flour, one of salt; '.repeat(4) };
}

interface Options {
  samples: number;
  every: number;
  lengths: number[];
}

async function measure({ samples, every, lengths }: Options): Promise<void> {
  const dynamoDb = await startTestDynamoDb();
  try {
    const table = 'bench-event-store';
    await dynamoDb.createTable(table);
    const client = documentClient();
    const send = client.send.bind(client) as (command: unknown) => Promise<unknown>;
    let requests = 0;
    Object.assign(client, {
      send: (command: unknown) => {
        requests += 1;
        return send(command);
      },
    });
    const store = new DynamoDbEventStore<Booked>(client, table);
    const runners = [
      { snapshots: 'none', runner: new CommandRunner(store, account) },
      {
        snapshots: `every ${every}`,
        runner: new CommandRunner(store, { ...account, snapshots: { every, stateVersion: 1 } }),
      },
    ];

    /** An aggregate of this many events that has a snapshot if it is long enough for one. */
    async function accountOf(length: number): Promise<string> {
      const id = randomUUID();
      for (let version = 0; version < length - 1; version += 99) {
        const events = Array.from({ length: Math.min(99, length - 1 - version) }, (_, index) => ({
          id: randomUUID(),
          event: booked(version + index),
          time: new Date(),
          correlationId: 'bench',
        }));
        await store.append(account.streamOf(id), version, events);
      }
      await runners[1]?.runner.execute(id, 1, { correlationId: 'bench' });
      return id;
    }

    console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}`);
    console.log(`${samples} samples of each kind, with and without snapshots by turns\n`);
    const row = (...cells: string[]) => console.log(cells.map((cell) => cell.padStart(13)).join(''));
    row('events', 'snapshots', 'load p50', 'requests', 'command p50', 'requests');

    const loads = new Map<string, number>();
    for (const length of lengths) {
      // So many that the commands of the benchmark do not make a short one long.
      const ids: string[] = [];
      for (let index = 0; index < Math.max(1, Math.min(samples, Math.ceil(1000 / length))); index += 1) {
        ids.push(await accountOf(length));
      }
      const results = runners.map(() => ({ load: new Samples(), command: new Samples() }));
      for (let sample = -5; sample < samples; sample += 1) {
        const id = ids.at(sample % ids.length) ?? '';
        for (const [index, { runner }] of runners.entries()) {
          const load = await measured(() => runner.load(id));
          const command = await measured(() => runner.execute(id, 1, { correlationId: 'bench' }));
          if (sample < 0) continue; // the first ones compile code
          results[index]?.load.add(load);
          results[index]?.command.add(command);
        }
      }
      for (const [index, { snapshots }] of runners.entries()) {
        const { load, command } = results[index] ?? { load: new Samples(), command: new Samples() };
        loads.set(`${length} ${snapshots}`, load.median);
        row(String(length), snapshots, ms(load.median), load.requests, ms(command.median), command.requests);
      }
    }

    const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
    for (const { snapshots } of runners) {
      const ratio = (loads.get(`${longest} ${snapshots}`) ?? 0) / (loads.get(`${shortest} ${snapshots}`) ?? 1);
      console.log(
        `\nsnapshots ${snapshots}: a load of ${longest} events takes ${ratio.toFixed(2)} × one of ${shortest}`,
      );
    }

    async function measured(run: () => Promise<unknown>): Promise<{ time: number; requests: number }> {
      requests = 0;
      const startedAt = performance.now();
      await run();
      return { time: performance.now() - startedAt, requests };
    }
  } finally {
    await dynamoDb.stop();
  }
}

const HELP = `Measures loading and appending by the length of a stream, with and without snapshots.

Usage: npm run bench:event-store -- [options]

  --samples <n>    loads and commands measured of each kind (50)
  --every <n>      events between two snapshots (20)
  --lengths <n,n>  events of an aggregate before the first command (10,1000,10000)
  --help           show this

Exit codes: 0 done, 1 failed, 2 misused.`;

await runCommand('bench:event-store', async () => {
  const { values } = readArguments({
    options: {
      samples: { type: 'string' },
      every: { type: 'string' },
      lengths: { type: 'string', default: '10,1000,10000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const count = { minimum: 1, whole: true };
  await measure({
    samples: readNumber('samples', values.samples, count) ?? 50,
    every: readNumber('every', values.every, count) ?? 20,
    lengths: values.lengths.split(',').map((length) => readNumber('lengths', length, count) ?? 0),
  });
  return 0;
});
