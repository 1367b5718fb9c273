import { type DocumentClient, documentClient } from '@millrace/aws';
import { variableFrom } from '@millrace/errors';

/** A DynamoDB table and the client that reads and writes it. */
export interface Table {
  client: DocumentClient;
  name: string;
}

/**
 * The table that an environment variable names, with a client of its own. Call it once, when the function starts.
 *
 * @throws ConfigurationError when the variable is not set
 * @example const shipments = new Shipments(tableFromEnvironment());
 */
export function tableFromEnvironment(variable = 'MILLRACE_TABLE', variables: NodeJS.ProcessEnv = process.env): Table {
  return { client: documentClient(), name: variableFrom(variable, 'the name of a DynamoDB table', variables) };
}
