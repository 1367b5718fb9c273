/** A request to an API of AWS. */
export abstract class Command<Service extends string, Input extends object, Output> {
  /** Keeps it from being sent by the client of another API. */
  abstract readonly service: Service;
  /** As the API's reference names it, e.g. `GetItem`. */
  abstract readonly operation: string;
  /** How long its answer may take, in ms, where that differs from other requests of the client. */
  readonly responseMs?: number | undefined;
  readonly input: Input;
  /** Only a type: what the answer looks like. */
  declare readonly output: Output;

  constructor(input: Input) {
    this.input = input;
  }
}

/** Sends the requests of one API. `Bound` is what its commands have besides, for its protocol. */
export interface Sender<Service extends string, Bound = unknown> {
  /**
   * Sends a request, up to three times, and returns its answer.
   * @throws AwsError with the name that AWS gives it; what the network throws
   */
  send<Input extends object, Output>(command: Command<Service, Input, Output> & Bound): Promise<Output>;
}

/** An output of the SDK without its notes about the answer. */
export type OutputOf<Output> = Omit<Output, '$metadata'>;
