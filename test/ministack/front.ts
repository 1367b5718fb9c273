import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** What the end-to-end suites are told of a deployed system, besides the AWS endpoint. */
export interface Front {
  /** One address for the HTTP APIs of all services. */
  apiUrl: string;
  /** The e-mails that were sent, in the local runtime's format: `?to=<recipient>`. */
  messagesUrl: string;
  close(): Promise<void>;
}

interface SentMail {
  To: string[];
  CC: string[];
  BCC: string[];
  Subject: string;
  BodyText: string;
}

const MESSAGES = '/_messages';

/**
 * Stands before the HTTP APIs of several stacks, as a custom domain does on AWS: the first segment of the path chooses.
 * @param routes ids of APIs by first segment, e.g. `orders`
 */
export async function startFront(awsUrl: string, routes: ReadonlyMap<string, string>): Promise<Front> {
  const server = createServer((incoming, outgoing) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', awsUrl);
    if (pathname === MESSAGES) {
      sendMessages(awsUrl, searchParams.get('to') ?? '', outgoing).catch((error) => fail(outgoing, error));
      return;
    }
    const apiId = routes.get(pathname.split('/')[1] ?? '');
    if (apiId === undefined) {
      send(outgoing, 404, { message: 'Not Found' });
      return;
    }
    forward(awsUrl, apiId, incoming, outgoing);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('No free port');
  const apiUrl = `http://127.0.0.1:${address.port}`;
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { apiUrl, messagesUrl: `${apiUrl}${MESSAGES}`, close };
}

/** MiniStack finds an HTTP API by its host name. */
function forward(awsUrl: string, apiId: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { hostname, port, host } = new URL(awsUrl);
  const headers = { ...incoming.headers, host: `${apiId}.execute-api.${host}` };
  const options = { hostname, port, method: incoming.method, path: incoming.url, headers };
  const upstream = request(options, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', (error) => fail(outgoing, error));
  incoming.pipe(upstream);
}

async function sendMessages(awsUrl: string, to: string, outgoing: ServerResponse): Promise<void> {
  const response = await fetch(`${awsUrl}/_ministack/ses/messages`);
  const { messages } = (await response.json()) as { messages: Record<string, SentMail[]> };
  const mails = Object.values(messages).flat();
  const received = mails.filter(({ To, CC, BCC }) => [...To, ...CC, ...BCC].includes(to));
  send(outgoing, 200, {
    messages: received.map(({ Subject, BodyText }) => ({ kind: 'email', subject: Subject, text: BodyText })),
  });
}

function fail(outgoing: ServerResponse, error: unknown): void {
  if (outgoing.headersSent) outgoing.destroy();
  else send(outgoing, 502, { message: `MiniStack did not answer: ${error}` });
}

function send(outgoing: ServerResponse, status: number, body: unknown): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
