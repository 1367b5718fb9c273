import { type StreamEnvironment, type StreamState, TableStream } from './table-stream.ts';

/** The streams of all tables, also those of tables that have another one now or are gone: they can be read for a day. */
export class StreamRegistry {
  readonly #streams = new Map<string, TableStream>();
  readonly #environment: StreamEnvironment;

  constructor(environment: StreamEnvironment) {
    this.#environment = environment;
    for (const { value } of environment.journal.load('streams')) {
      const stream = new TableStream(value as StreamState, environment);
      this.#streams.set(stream.arn, stream);
    }
  }

  /** Opens a stream for a table. */
  create(options: Parameters<typeof TableStream.create>[0]): TableStream {
    const stream = TableStream.create(options, this.#environment, (arn) => this.#streams.has(arn));
    this.#streams.set(stream.arn, stream);
    this.#environment.journal.put('streams', stream.arn, stream.state, () => this.#streams.delete(stream.arn));
    return stream;
  }

  /** A stream that can be read. */
  find(arn: unknown): TableStream | undefined {
    this.#forget();
    return this.#streams.get(String(arn));
  }

  /** The stream that a table has now. */
  current(tableName: string): TableStream | undefined {
    return this.all().find(({ state }) => state.tableName === tableName && state.disabledAt === undefined);
  }

  /** All streams that can be read. */
  all(): TableStream[] {
    this.#forget();
    return [...this.#streams.values()];
  }

  #forget(): void {
    for (const [arn, stream] of this.#streams) {
      if (!stream.isGone) continue;
      this.#streams.delete(arn);
      stream.drop();
      this.#environment.journal.remove('streams', arn, () => undefined);
    }
  }
}
