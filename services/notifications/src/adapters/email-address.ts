import { ConfigurationError } from '@millrace/errors';
import * as z from 'zod';

/** Reads an e-mail address from a variable. @throws ConfigurationError when there is none. */
export function emailAddressFrom(variable: string, variables: NodeJS.ProcessEnv = process.env): string {
  const { data } = z.email().safeParse(variables[variable]);
  if (!data) throw new ConfigurationError(variable, 'an e-mail address, e.g. shop@example.com');
  return data;
}
