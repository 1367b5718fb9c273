import { randomUUID } from 'node:crypto';
import { HttpAnswer } from '../../core/http-message.ts';
import type { Protocol } from '../../core/service.ts';
import { escapeXml } from '../../core/xml.ts';
import { targetOf } from '../http-request.ts';

const FORM = 'application/x-www-form-urlencoded';

/**
 * The query protocol. A service answers with its XML, since the elements of each output are its own.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export const query: Protocol = {
  matches: (headers) => !targetOf(headers) && (headers['content-type'] ?? '').startsWith(FORM),
  read: ({ body }) => {
    const parameters = new URLSearchParams(body.toString());
    return { operation: parameters.get('Action') ?? '', input: Object.fromEntries(parameters) };
  },
  answer: (output) => new HttpAnswer(200, { 'content-type': 'text/xml' }, String(output)),
  error: ({ code, status, message }) => {
    const type = status < 500 ? 'Sender' : 'Receiver';
    const error = `<Error><Type>${type}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error>`;
    return new HttpAnswer(
      status,
      { 'content-type': 'text/xml' },
      `<ErrorResponse>${error}<RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
    );
  },
};
