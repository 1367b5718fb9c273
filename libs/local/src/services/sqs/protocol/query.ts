import { randomUUID } from 'node:crypto';
import { HttpAnswer, type HttpRequest } from '../../../core/http-message.ts';
import type { Protocol } from '../../../core/service.ts';
import { readQuery } from './query-input.ts';
import { queryDocument, queryErrorDocument, queryFormat } from './query-output.ts';

/**
 * The query protocol of SQS, for requests without `X-Amz-Target`. Their parameters are in the URL or in a form.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
 */
export const query: Protocol = {
  matches: (headers) => headers['x-amz-target'] === undefined,
  read: (request) => readQuery(request.url.pathname, parametersOf(request)),
  answer: (output, operation, { headers }) =>
    answerWith(headers, 200, (format, requestId) => queryDocument(operation, output as object, requestId, format)),
  error: (error, headers) =>
    answerWith(headers, error.status, (format, requestId) => queryErrorDocument(error, requestId, format)),
};

function answerWith(
  { accept }: HttpRequest['headers'],
  status: number,
  document: (format: 'xml' | 'json', requestId: string) => string,
): HttpAnswer {
  const format = queryFormat(accept);
  const requestId = randomUUID();
  const headers = { 'content-type': format === 'xml' ? 'text/xml' : 'application/json', 'x-amzn-requestid': requestId };
  return new HttpAnswer(status, headers, document(format, requestId));
}

function parametersOf({ url, body, headers }: HttpRequest): URLSearchParams {
  const parameters = new URLSearchParams(url.searchParams);
  if (/^application\/x-www-form-urlencoded/i.test(headers['content-type'] ?? '')) {
    for (const [name, value] of new URLSearchParams(body.toString())) parameters.append(name, value);
  }
  return parameters;
}
