import { HttpAnswer, type HttpRequest } from '../../core/http-message.ts';
import type { Fauxqs } from './fauxqs.ts';

/** Has fauxqs answer a request whose body has been read. */
export async function forward(fauxqs: Fauxqs, { target, headers, body }: HttpRequest): Promise<HttpAnswer> {
  const { 'content-encoding': _read, 'content-length': _length, ...others } = headers;
  const answer = await fauxqs.answer({
    method: 'POST',
    url: target,
    headers: others,
    body,
  });
  return new HttpAnswer(answer.status, { 'content-type': answer.contentType }, answer.body);
}
