import { deepStrictEqual, strictEqual } from 'node:assert';

/** The pure half of an aggregate. */
export interface Decider<State, Command, Event> {
  initialState: State;
  decide: (command: Command, state: State) => readonly Event[];
  evolve: (state: State, event: Event) => State;
}

/**
 * A specification by example of a decider:
 * `given(past events).when(command).thenEvents(new events)`, or `.thenRefused(error code)`.
 */
export function specify<State, Command, Event>({ initialState, decide, evolve }: Decider<State, Command, Event>) {
  return {
    given: (...past: Event[]) => ({
      when: (command: Command) => {
        const run = () => decide(command, past.reduce(evolve, initialState));
        return {
          /** Exactly these events, in this order; none when called without any. */
          thenEvents: (...expected: Event[]) => deepStrictEqual([...run()], expected),
          /** The command is refused with an error of this `code`. */
          thenRefused: (code: string) => {
            let refusal: unknown;
            try {
              run();
            } catch (error) {
              refusal = error;
            }
            strictEqual((refusal as { code?: string } | undefined)?.code, code);
          },
        };
      },
      /** What the state is after the past events. */
      thenState: (check: (state: State) => void) => check(past.reduce(evolve, initialState)),
    }),
  };
}
