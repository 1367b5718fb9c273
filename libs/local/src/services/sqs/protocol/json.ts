import { HttpAnswer } from '../../../core/http-message.ts';
import { parseJsonBody } from '../../../core/json-body.ts';
import type { Protocol } from '../../../core/service.ts';
import { queryCode } from '../errors.ts';

const TARGET = 'AmazonSQS.';
const CONTENT_TYPE = 'application/x-amz-json-1.0';

/**
 * The JSON protocol of SQS. An error's header has its code of the query protocol, by which SDKs keep the names that errors had before
 * there was JSON.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
 */
export const json: Protocol = {
  matches: (headers) => headers['x-amz-target'] !== undefined,
  read: ({ headers, body }) => {
    const target = String(headers['x-amz-target']);
    const operation = target.startsWith(TARGET) ? target.slice(TARGET.length) : target;
    return { operation, input: parseJsonBody(body) };
  },
  answer: (output) => new HttpAnswer(200, { 'content-type': CONTENT_TYPE }, JSON.stringify(output)),
  error: ({ code, message, status }) =>
    new HttpAnswer(
      status,
      {
        'content-type': CONTENT_TYPE,
        'x-amzn-query-error': `${queryCode(code)};${status < 500 ? 'Sender' : 'Receiver'}`,
      },
      JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }),
    ),
};
