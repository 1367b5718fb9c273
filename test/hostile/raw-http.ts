import { connect } from 'node:net';

/** What came back for a request, whatever the request was. */
export interface RawAnswer {
  status: number;
  /** By name in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Longer than any function runs. */
const ANSWER_WITHIN_MS = 45_000;

/** The bytes of a request. Nothing in it is checked: header values and path stand there as they are, in latin1. */
export function requestBytes(
  requestLine: string,
  headers: readonly (readonly [name: string, value: string])[],
  body: Buffer = Buffer.alloc(0),
): Buffer {
  const head = [requestLine, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/**
 * Sends bytes over a connection of their own and reads the answer to them. A client library would not send most of what
 * is sent here.
 * @param origin e.g. http://127.0.0.1:3000
 * @throws Error when there is no answer, or what comes is none
 */
export function sendBytes(origin: string, bytes: Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) });
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
    socket.on('data', (chunk) => received.push(chunk));
    let failure: Error | undefined;
    // A refusal may come, and the connection end, before all of a large body is sent.
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      // https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
      const answer = readAnswer(Buffer.concat(received), bytes.subarray(0, 5).equals(Buffer.from('HEAD ')));
      if (answer) resolve(answer);
      else reject(failure ?? new Error('the connection ended without an answer'));
    });
    socket.write(bytes);
  });
}

function readAnswer(bytes: Buffer, withoutBody: boolean): RawAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) return undefined;
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = bytes.subarray(end + 4);
  if (!withoutBody && body.length < Number(headers['content-length'] ?? 0)) return undefined;
  return { status, headers, body: body.toString() };
}
