import type { buildApp } from 'fauxqs';

/** One of fauxqs's own actions. It ends before anybody can receive the message. */
export type SendAction = (input: unknown, store: unknown) => unknown;

type App = ReturnType<typeof buildApp>;

interface SentMessage {
  MessageSystemAttributes?: { AWSTraceHeader?: { StringValue?: string } };
}
type SendInput = SentMessage & { Entries?: Array<SentMessage & { Id: string }> };
type SendOutput = { MessageId?: string; Successful?: Array<{ Id: string; MessageId: string }> };
interface ReceiveInput {
  AttributeNames?: string[];
  MessageSystemAttributeNames?: string[];
}
interface ReceiveOutput {
  Messages?: Array<{ MessageId: string; Attributes?: Record<string, string> }>;
}

const kept = 100_000;
const target = 'AmazonSQS.';

/** The trace header of each of the newest 100,000 messages that have one, by message id. A move to a dead-letter queue keeps the id. */
export class TraceHeaders {
  readonly #byMessageId = new Map<string, string>();

  get(messageId: string): string | undefined {
    return this.#byMessageId.get(messageId);
  }

  set(messageId: string, header: string): void {
    this.#byMessageId.set(messageId, header);
    if (this.#byMessageId.size <= kept) return;
    for (const oldest of this.#byMessageId.keys()) {
      this.#byMessageId.delete(oldest);
      return;
    }
  }
}

/**
 * Gives fauxqs the one message system attribute there is, AWSTraceHeader, which it does not have.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-system-attributes
 */
export function carryTraceHeaders(
  app: App,
  headers: TraceHeaders,
  send: Readonly<Record<string, (input: unknown) => unknown>>,
): void {
  app.addHook('preHandler', (request, reply, done) => {
    const action = send[actionOf(request.headers)];
    const input = request.body as SendInput;
    if (!action || !hasTraceHeader(input)) return done();
    let output: SendOutput;
    try {
      // Sent here and not by fauxqs's route, so that the header is there before whoever waits for a message can have it.
      output = action(input) as SendOutput;
    } catch {
      // Nothing has been sent. The route fails in the same way, and knows how to answer.
      return done();
    }
    remember(headers, input, output);
    reply.header('content-type', 'application/x-amz-json-1.0').send(output);
  });
  app.addHook('preSerialization', (request, _reply, payload, done) => {
    if (actionOf(request.headers) === 'ReceiveMessage') {
      addTraceHeaders(headers, request.body as ReceiveInput, payload as ReceiveOutput);
    }
    done(null, payload);
  });
}

function actionOf(headers: Record<string, unknown>): string {
  const name = headers['x-amz-target'];
  return typeof name === 'string' && name.startsWith(target) ? name.slice(target.length) : '';
}

function headerOf({ MessageSystemAttributes }: SentMessage): string | undefined {
  return MessageSystemAttributes?.AWSTraceHeader?.StringValue;
}

function hasTraceHeader(input: SendInput): boolean {
  const entries = Array.isArray(input.Entries) ? input.Entries : [];
  return headerOf(input) !== undefined || entries.some((entry) => headerOf(entry) !== undefined);
}

function remember(headers: TraceHeaders, input: SendInput, { MessageId, Successful = [] }: SendOutput): void {
  const header = headerOf(input);
  if (MessageId !== undefined && header !== undefined) headers.set(MessageId, header);
  for (const { Id, MessageId: messageId } of Successful) {
    const entry = input.Entries?.find((candidate) => candidate.Id === Id);
    const entryHeader = entry && headerOf(entry);
    if (entryHeader !== undefined) headers.set(messageId, entryHeader);
  }
}

function addTraceHeaders(headers: TraceHeaders, input: ReceiveInput, { Messages = [] }: ReceiveOutput): void {
  const wanted = [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])];
  if (!wanted.includes('All') && !wanted.includes('AWSTraceHeader')) return;
  for (const message of Messages) {
    const header = headers.get(message.MessageId);
    if (header !== undefined) message.Attributes = { ...message.Attributes, AWSTraceHeader: header };
  }
}
