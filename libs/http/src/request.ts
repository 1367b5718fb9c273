import { NotUnicodeError, parseJson } from '@millrace/events';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod';
import { HttpError, type ProblemError } from './problem.ts';

/** Larger bodies are refused before they are parsed. An order of 100 lines has less than 10 KiB. */
export const MAX_BODY_BYTES = 128 * 1024;

/** A body can hold more mistakes than fit into an answer: Lambda's may have 6 MB. */
const MAX_LISTED_ERRORS = 50;

/** The text of the body. @throws HttpError 413 when it has more than `maxBytes`. */
export function bodyText(event: APIGatewayProxyEventV2, maxBytes = MAX_BODY_BYTES): string {
  const body = event.body ?? '';
  const bytes = Buffer.byteLength(body, event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes > maxBytes) {
    const detail = `The body has more than ${maxBytes} bytes`;
    throw new HttpError(413, 'BODY_TOO_LARGE', detail, [{ field: 'body', detail }]);
  }
  return event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}

/** Parses and validates a JSON body. @throws HttpError 400 naming each invalid member. */
export function parseBody<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    const wrong =
      error instanceof NotUnicodeError
        ? 'The body contains a string that is not valid Unicode'
        : 'The body is not valid JSON';
    const detail = text === '' ? 'A JSON body is required' : wrong;
    throw new HttpError(400, 'MALFORMED_BODY', detail, [{ field: 'body', detail }]);
  }
  return validate(value, schema, (path) => (path.length === 0 ? 'body' : jsonPointer(path)));
}

/** https://www.rfc-editor.org/rfc/rfc6901 */
function jsonPointer(path: string[]): string {
  return path.map((member) => `/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Validates path parameters. @throws HttpError 400 naming each invalid one. */
export function parsePath<Schema extends z.ZodType>(event: APIGatewayProxyEventV2, schema: Schema): z.output<Schema> {
  return validate(event.pathParameters ?? {}, schema, (path) => path.join('.'));
}

/**
 * Validates query parameters. One that comes several times is one text with commas, as API Gateway hands it on.
 * @throws HttpError 400 naming each invalid one.
 */
export function parseQuery<Schema extends z.ZodType>(event: APIGatewayProxyEventV2, schema: Schema): z.output<Schema> {
  return validate(event.queryStringParameters ?? {}, schema, (path) => path.join('.'));
}

function validate<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  fieldOf: (path: string[]) => string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue): ProblemError[] => {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') return [{ field: fieldOf(path), detail: issue.message }];
    return issue.keys.map((key) => ({ field: fieldOf([...path, key]), detail: 'Unknown field' }));
  });
  const listed = errors.slice(0, MAX_LISTED_ERRORS);
  const fields = listed.map(({ field }) => field).join(', ');
  const detail = `${errors.length} invalid field(s): ${fields}${errors.length > listed.length ? ', …' : ''}`;
  throw new HttpError(400, 'INVALID_REQUEST', detail, listed);
}

/**
 * The Idempotency-Key header, with or without the quotes of a structured field.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 * @throws HttpError 400 when it is empty, too long or not printable ASCII.
 */
export function idempotencyKeyOf(event: APIGatewayProxyEventV2): string | undefined {
  const header = event.headers['idempotency-key'];
  if (header === undefined) return undefined;
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const detail = 'Expected 1–255 printable ASCII characters without spaces, e.g. a UUID';
  throw new HttpError(400, 'INVALID_IDEMPOTENCY_KEY', detail, [{ field: 'Idempotency-Key', detail }]);
}

/**
 * The caller's own X-Correlation-Id, for the log. It is never the correlation id of what the request leads to: two callers
 * may send the same one, or another order's id.
 * @returns undefined without the header, or when it is not 1–128 letters, digits, `_`, `.`, `:` and `-`
 */
export function clientCorrelationIdOf(event: APIGatewayProxyEventV2): string | undefined {
  const header = event.headers['x-correlation-id'];
  return header && /^[\w.:-]{1,128}$/.test(header) ? header : undefined;
}
