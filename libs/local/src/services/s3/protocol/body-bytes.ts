import type { IncomingMessage } from 'node:http';

/** The body of a request, which is not destroyed with what is left of it when it is refused: the answer is still to be sent. */
export function bytesOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false });
}
