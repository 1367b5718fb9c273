import type { MovableClock } from './clock.ts';
import type { LocalIdentities } from './identities.ts';
import type { Messages } from './messages.ts';
import type { RefusedAccess } from './refusals.ts';

/** The services, running on this machine. */
export interface Runtime {
  /** Origin of all services' HTTP APIs. */
  apiUrl: string;
  /** Origin of the AWS APIs. */
  awsUrl: string;
  /** Where `requestToken` gets tokens for the HTTP APIs. */
  issuerUrl: string;
  /**
   * The time of everything that waits: schedules, alarms, retention, delays, retries. A test moves it ahead.
   * @example await runtime.clock.advance(60 * 60_000);
   */
  clock: MovableClock;
  /** E-mails and SMS that functions have sent. */
  messages: Messages;
  /** Everything that onWarning has been told during the start. */
  warnings: readonly string[];
  functionNames: readonly string[];
  /** What functions, and services for the resources of the templates, were not allowed to do since the start. */
  refusals: () => readonly RefusedAccess[];
  /**
   * What a function may do, statement by statement, and a way to take one away for a while: for tests of roles. Nothing on
   * the ports leads here.
   */
  identities: Pick<LocalIdentities, 'statementsOf' | 'withhold'>;
  /** Resolves when every function has a container that is ready; at once with `coldFunctions`. */
  warm: Promise<void>;
  /** Ends everything that was started. May be called more than once. */
  stop(): Promise<void>;
}
