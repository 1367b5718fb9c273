import { HttpAnswer, type HttpRequest } from '../../core/http-message.ts';
import type { Fauxqs } from './fauxqs.ts';

/**
 * Has fauxqs answer a request whose body has been read.
 * @param body of a request without one
 */
export async function forward(fauxqs: Fauxqs, { target, headers, body }: HttpRequest, empty = ''): Promise<HttpAnswer> {
  const { 'content-encoding': _read, 'content-length': _length, ...others } = headers;
  const answer = await fauxqs.answer({
    method: 'POST',
    url: target,
    headers: others,
    body: body.length === 0 ? Buffer.from(empty) : body,
  });
  return new HttpAnswer(answer.status, { ...answer.headers, 'content-type': answer.contentType }, answer.body);
}
