import { PermanentError } from './error-classes.ts';

/** An environment variable is missing or malformed: the function cannot start. */
export class ConfigurationError extends PermanentError {
  constructor(variable: string, expectation: string) {
    super('CONFIGURATION', `${variable} must be ${expectation}`);
  }
}

/**
 * The value of an environment variable.
 *
 * @param expectation completes "<name> must be …"
 * @throws ConfigurationError when it is not set, or is empty
 * @example const tableName = variableFrom('MILLRACE_TABLE', 'the name of a DynamoDB table');
 */
export function variableFrom(name: string, expectation: string, variables: NodeJS.ProcessEnv = process.env): string {
  const value = variables[name];
  if (!value) throw new ConfigurationError(name, expectation);
  return value;
}
