/** A command of an AWS SDK client. */
interface Command {
  input: unknown;
}

/** Stands in for an AWS SDK client: records every command's name and input, and answers as told. */
export class RecordingClient {
  readonly sent: { name: string; input: unknown }[] = [];
  readonly #answer: (name: string, input: unknown) => unknown;

  constructor(answer: (name: string, input: unknown) => unknown = () => ({})) {
    this.#answer = answer;
  }

  /** The inputs of all commands of this name, e.g. `SendMessageCommand`. */
  inputs<Input = Record<string, unknown>>(name: string): Input[] {
    return this.sent.filter((command) => command.name === name).map(({ input }) => input as Input);
  }

  send = async (command: Command): Promise<never> => {
    const { name } = command.constructor;
    this.sent.push({ name, input: command.input });
    // The caller knows its client's types; this fake serves them all.
    return (await this.#answer(name, command.input)) as never;
  };
}
