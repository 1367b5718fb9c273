import { sqsError } from '../errors.ts';

/** A resource policy as far as it is read here. Evaluating it is the authorizer's task. */
export interface QueuePolicy {
  Version?: string;
  Id?: string;
  Statement: Record<string, unknown>[];
}

/**
 * Reads the attribute Policy.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-customer-managed-policy-examples.html
 * @throws AwsError InvalidAttributeValue when it is not a policy document
 * @example parseQueuePolicy('{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage"}]}')
 */
export function parseQueuePolicy(text: string): QueuePolicy {
  const refused = sqsError('InvalidAttributeValue', 'Invalid value for the parameter Policy.');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw refused;
  }
  if (!isObject(document)) throw refused;
  const { Statement } = document;
  const statements: unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  if (!statements.every(isStatement)) throw refused;
  return { ...document, Statement: statements };
}

function isStatement(value: unknown): value is Record<string, unknown> {
  return (
    isObject(value) &&
    (value.Effect === 'Allow' || value.Effect === 'Deny') &&
    (value.Action !== undefined || value.NotAction !== undefined) &&
    (value.Principal !== undefined || value.NotPrincipal !== undefined)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
