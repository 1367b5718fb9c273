import { UsageError } from './usage-error.ts';

/** Why a command failed, in one line that says what to do where that is known. */
export function explain(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0]);
  if (error instanceof UsageError) return error.message;
  const { name, message, code, address, port } = error as Partial<NodeJS.ErrnoException> & {
    address?: string;
    port?: number;
  };
  if (code === 'ECONNREFUSED' && /^(127\.|::1$)/.test(address ?? '')) {
    const host = address === '::1' ? 'localhost' : address;
    return `Nothing answers at http://${host}:${port}: is npm start running?`;
  }
  if (name === 'CredentialsProviderError')
    return 'No AWS credentials: sign in, or use --endpoint for the local runtime';
  if (message === 'Region is missing') return 'No AWS region: set AWS_REGION, or use --endpoint for the local runtime';
  return [name === 'Error' ? '' : name, message].filter(Boolean).join(': ') || String(error);
}
