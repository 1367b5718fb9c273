import { AwsError } from '../../core/aws-error.ts';
import { HttpAnswer } from '../../core/http-message.ts';
import { parseJsonBody } from '../../core/json-body.ts';
import type { Protocol } from '../../core/service.ts';
import { targetOf } from '../http-request.ts';

/** https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export const json: Protocol = {
  matches: (headers) => targetOf(headers) !== undefined,
  read: ({ headers, body }) => {
    const target = targetOf(headers);
    if (!target) throw new AwsError('MissingAction', 'The X-Amz-Target header is missing');
    return { operation: target.operation, input: parseJsonBody(body) };
  },
  answer: (output, _operation, { headers }) =>
    new HttpAnswer(200, { 'content-type': headers['content-type'] ?? 'application/x-amz-json-1.1' }, writeJson(output)),
  error: ({ code, status, message, details, headers }, { 'content-type': contentType = '' }) =>
    new HttpAnswer(
      status,
      {
        ...headers,
        'content-type': contentType.startsWith('application/x-amz-json') ? contentType : 'application/json',
        'x-amzn-errortype': code,
      },
      JSON.stringify({ __type: code, message, ...details }),
    ),
};

/** Operations give points in time as dates; in the JSON protocols they are seconds. */
export function writeJson(output: unknown): string {
  return JSON.stringify(output ?? {}, secondsOfDates);
}

/** Of a date, JSON.stringify hands over its text: the date itself is in the object that has it. */
function secondsOfDates(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  return original instanceof Date ? original.getTime() / 1000 : value;
}
