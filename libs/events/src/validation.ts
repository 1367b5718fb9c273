import { shownPath } from '@millrace/privacy/personal';
import type * as z from 'zod';
import { SchemaViolationError } from './errors.ts';

/**
 * JSON that every queue takes: of the characters that SQS refuses, JSON.stringify leaves two as they are.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function detailText(detail: unknown): string {
  return JSON.stringify(detail).replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

export function validated<Output>(value: unknown, schema: z.ZodType<Output>, detailType: string): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new SchemaViolationError(detailType, issuesOf(result.error, schema));
}

/** What is wrong, by paths and expectations. The names of unknown fields come from the data, as values do. */
export function issuesOf(error: z.ZodError, schema: z.ZodType) {
  return error.issues.map(({ code, path, message }) => ({
    path: shownPath(path, schema),
    message: code === 'unrecognized_keys' ? 'Unknown field' : message,
  }));
}

/** Registries accept keywords of their own users when these start with `x-`. */
export function markAsExtension({ jsonSchema }: { jsonSchema: Record<string, unknown> }): void {
  const { dataSensitivity, identifiesPerson } = jsonSchema;
  if (dataSensitivity !== undefined) {
    delete jsonSchema.dataSensitivity;
    jsonSchema['x-data-sensitivity'] = dataSensitivity;
  }
  if (identifiesPerson !== undefined) {
    delete jsonSchema.identifiesPerson;
    jsonSchema['x-identifies-person'] = identifiesPerson;
  }
}
