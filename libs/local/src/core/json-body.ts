import { AwsError } from './aws-error.ts';

/**
 * Levels of a request in JSON. An item of DynamoDB has at most 32, each of them written as two, and is nested in a few more.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
 */
const MAX_DEPTH = 100;

/**
 * Parses the document of a request. An empty body is an empty document.
 * @throws AwsError SerializationException
 */
export function parseJsonBody(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString());
    if (isStructure(value) && !isDeeperThan(value, MAX_DEPTH)) return value;
  } catch {
    // Reported below, like JSON that is not an object.
  }
  throw new AwsError('SerializationException', `The body is not a JSON object of at most ${MAX_DEPTH} levels`);
}

function isStructure(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  // Without a list of the parts: every request is looked through.
  for (const name in value) if (isDeeperThan((value as Record<string, unknown>)[name], levels - 1)) return true;
  return false;
}
