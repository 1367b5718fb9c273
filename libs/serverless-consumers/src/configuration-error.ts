/** One code per kind of mistake, so that a test or a script need not read the sentence. */
export type ConfigurationErrorCode =
  | 'CONSUMERS_CUSTOM_MISSING'
  | 'CONSUMERS_UNKNOWN_EVENT'
  | 'CONSUMERS_FOREIGN_EVENT'
  | 'CONSUMERS_DUPLICATE_EVENT'
  | 'CONSUMERS_REPLACED_EVENT'
  | 'CONSUMERS_NO_VARIANT'
  | 'CONSUMERS_SEVERAL_CONSUMES'
  | 'CONSUMERS_OUT_OF_RANGE'
  | 'CONSUMERS_IMPOSSIBLE_COMBINATION'
  | 'CONSUMERS_INVALID_FILTER'
  | 'CONSUMERS_NAME_TOO_LONG'
  | 'CONSUMERS_AWS_LIMIT'
  | 'CONSUMERS_STAGE_NAME'
  | 'CONSUMERS_ROLE_CONFLICT'
  | 'CONSUMERS_UNSUPPORTED_EVENT_SOURCE'
  | 'CONSUMERS_HANDLER_NOT_LOADED'
  | 'CONSUMERS_HANDLER_MISMATCH'
  | 'CONSUMERS_EMITS_MISMATCH'
  | 'CONSUMERS_ENCRYPTION_KEY'
  | 'CONSUMERS_STATE_MACHINE'
  | 'CONSUMERS_BUS_NOT_FOUND'
  | 'CONSUMERS_BUS_POLICY';

/**
 * A mistake in serverless.yml, or a difference between it and the code, that would only show at deployment, or never. The plugin turns it into osls's own
 * ServerlessError, which the command line prints without a stack.
 */
export class ConfigurationError extends Error {
  readonly code: ConfigurationErrorCode;
  /** Where in serverless.yml, e.g. `functions.onOrderPlaced.events[0].consume.batchSize`. */
  readonly key: string;
  /** A file of the service, where the mistake is not in serverless.yml. */
  readonly file: string | undefined;

  constructor(code: ConfigurationErrorCode, key: string, problem: string, file?: string) {
    super(problem);
    this.name = 'ConfigurationError';
    this.code = code;
    this.key = key;
    this.file = file;
  }
}
