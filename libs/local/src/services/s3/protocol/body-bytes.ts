import type { HttpRequest } from '../../../core/http-message.ts';

/** The body of a request, which is not destroyed with what is left of it when it is refused: the answer is still to be sent. */
export function bytesOf({ content }: Pick<HttpRequest, 'content'>): AsyncIterable<Uint8Array> {
  return content.iterator({ destroyOnReturn: false });
}
