import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { processTransport, type Transport } from '@millrace/aws';
import type { Random } from '../../random.ts';
import { type Container, currentContainer, leaveContainers } from '../container.ts';
import type { World } from '../world.ts';

/** A request of an SDK's client. */
export interface AwsRequest {
  service: 'dynamodb' | 'events' | 'sqs' | 'email' | 'sns' | 'scheduler' | 'kms';
  operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: each operation has other fields, and code that reads them has looked at `operation`
  input: any;
}

/** An answer that is an error. */
export class AwsFailure extends Error {
  readonly status: number;
  readonly members: Record<string, unknown>;

  constructor(
    name: string,
    message: string,
    { status = 400, members = {} }: { status?: number; members?: Record<string, unknown> } = {},
  ) {
    super(message);
    this.name = name;
    this.status = status;
    this.members = members;
  }
}

interface HttpRequest {
  hostname: string;
  path: string;
  method: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}

/** As both kinds of clients take it. */
interface HttpResponse {
  statusCode: number;
  reason: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Serves a request at the moment at which it is done. `later` asks for more time: the second part happens then. */
export type Effect = () => object | { later: number; finish: () => object };

/**
 * The network between containers and AWS: every request takes some time there and back, and this is where most goes wrong.
 * Between any two calls other containers can go on.
 */
export class Network {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Answers a request of the container that runs. */
  async send(request: AwsRequest): Promise<object> {
    const container = currentContainer();
    if (!container) throw new Error('A request without a container');
    const requests = this.#world.sabotage.request?.(request, container) ?? [request];
    let output: object = {};
    for (const each of requests) {
      try {
        output = await this.#call(container, each);
      } catch (error) {
        throw each === request ? error : asOf(request, each, error as AwsFailure);
      }
    }
    return output;
  }

  /**
   * A call of the container that runs to something that is not AWS.
   * @param effect happens when the call has come there; what it answers comes back so many ms later
   */
  callOutside<Answer>(
    what: string,
    effect: (
      answer: (result: () => { output: Answer } | { error: Error }, ms: number) => void,
      from: Container,
    ) => void,
  ): Promise<Answer> {
    const container = currentContainer();
    if (!container) throw new Error('A call without a container');
    const { scheduler, random, trace } = this.#world;
    const faults = this.#world.faultsAt('call');
    return new Promise((resolve, reject) => {
      if (faults.some((fault) => fault.what === 'crash before the request is sent')) {
        trace.fault(container.name, `dies before ${what}`);
        container.kill();
        return;
      }
      scheduler.after(latency(random), () => {
        leaveContainers();
        const answer = (result: () => { output: Answer } | { error: Error }, ms: number): void => {
          scheduler.after(ms, () =>
            container.run(() => {
              const settled = result();
              if ('error' in settled) reject(settled.error);
              else resolve(settled.output);
            }),
          );
        };
        effect(answer, container);
        if (faults.some((fault) => fault.what === 'crash after the request was done')) {
          trace.fault(container.name, `dies after ${what}`);
          container.kill();
        }
      });
    });
  }

  #call(container: Container, request: AwsRequest): Promise<object> {
    const { scheduler, random, trace, mail, sabotage } = this.#world;
    const faults = this.#world.faultsAt('call');
    const has = (what: string) => faults.find((fault) => fault.what === what);
    const who = container.name;
    const text = describe(request);
    return new Promise((resolve, reject) => {
      container.callsLeft -= 1;
      if (has('crash before the request is sent') || container.callsLeft < 0) {
        trace.fault(who, `dies before ${text}`);
        container.kill();
        return;
      }
      if (has('answer lost') || has('throttled') || has('slow')) mail.interrupt(container);
      const answer = (settle: () => void, slow = 0): void => {
        scheduler.after(latency(random) + slow, () => container.run(settle));
      };
      const fail = (error: Error): void => {
        trace.add(who, `${text}: ${error.name}`);
        answer(() => reject(error));
      };
      const done = (result: object): void => {
        const output = sabotage.answer?.(request, result) ?? result;
        trace.add(who, `${text}${outcome(request, output)}`);
        if (has('crash after the request was done')) {
          trace.fault(who, 'dies before it gets the answer');
          container.kill();
        }
        const slow = has('slow');
        if (slow) trace.fault(who, `the answer takes ${slow.amount} ms`);
        if (has('answer lost')) {
          mail.interrupt(container);
          trace.fault(who, 'the answer is lost');
          answer(() => reject(connectionReset()));
        } else answer(() => resolve(output), slow?.amount);
      };
      const throttle = has('throttled');
      const conflict = has('transaction conflict');
      const refused = has('entries refused');
      scheduler.after(latency(random), () => {
        leaveContainers();
        if (throttle) {
          trace.fault(who, `${text}: throttled`);
          answer(() => reject(throttled(request)));
          return;
        }
        if (conflict && request.operation === 'TransactWriteItems') {
          trace.fault(who, `${text}: transaction conflict`);
          answer(() => reject(canceledByConflict(request)));
          return;
        }
        try {
          const output = this.#effectOf(request, container, refused?.amount)();
          if (!('finish' in output)) return done(output);
          scheduler.after(Number(output.later), () => {
            leaveContainers();
            done((output as { finish: () => object }).finish());
          });
        } catch (error) {
          fail(error as Error);
        }
      });
    });
  }

  #effectOf({ service, operation, input }: AwsRequest, container: Container, refused: number | undefined): Effect {
    const { store, bus, queues, schedules, mail } = this.#world;
    switch (service) {
      case 'dynamodb':
        return store.effectOf(operation, input);
      case 'events':
        return () => bus.putEvents(input, refused);
      case 'sqs':
        return () => queues.execute(operation, input, { refused, container });
      case 'scheduler':
        return () => schedules.execute(operation, input);
      case 'email':
        return () => mail.send(input, container);
      case 'sns':
        return () => mail.publish(input, container);
      case 'kms':
        return () => ({ Mac: createHmac('sha256', input.KeyId).update(input.Message, 'base64').digest('base64') });
    }
  }
}

let world: World | undefined;

/** Makes this the world whose network the SDK's clients use. */
export function connect(next: World | undefined): void {
  world = next;
}

let patched = false;

/** Puts the simulated network below all clients of AWS in this process: those of @millrace/aws, and the SDK's. */
export function installNetwork(): void {
  if (patched) return;
  patched = true;
  const require = createRequire(import.meta.url);
  const { NodeHttpHandler } = require('@smithy/node-http-handler') as {
    NodeHttpHandler: { prototype: { handle: (request: HttpRequest) => Promise<{ response: object }> } };
  };
  NodeHttpHandler.prototype.handle = async (request) => ({ response: await answer(request) });
  const transport: Transport = ({ method, hostname, path, unsignedHeaders: headers, body }) =>
    answer({ method, hostname, path, headers, body });
  Object.assign(globalThis, { [processTransport]: transport });
  const signer = require('@smithy/signature-v4') as {
    SignatureV4: { prototype: { sign: (request: object) => Promise<object> } };
  };
  // Nobody looks at signatures, and they would be a fifth of the work.
  signer.SignatureV4.prototype.sign = async (request) => request;
}

async function answer(
  request: Pick<HttpRequest, 'hostname' | 'path' | 'headers' | 'body'> & { method?: string },
): Promise<HttpResponse> {
  const awsRequest = readRequest(request);
  if (!world) throw new Error('No history is under way');
  try {
    return response(200, await world.network.send(awsRequest), awsRequest);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') throw error;
    const { name, message, status = 400, members = {} } = error as AwsFailure;
    return response(status, { __type: name, message, ...members }, awsRequest, name);
  }
}

function readRequest({ hostname, path, method = 'POST', headers, body }: Parameters<typeof answer>[0]): AwsRequest {
  const bytes = typeof body === 'object' ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : body;
  const text = bytes?.toString() || '{}';
  const target = headers['x-amz-target'];
  if (target !== undefined) {
    const services = ['dynamodb', 'sqs', 'kms'] as const;
    const service = services.find((name) => hostname.startsWith(name)) ?? 'events';
    return { service, operation: target.slice(target.indexOf('.') + 1), input: JSON.parse(text) };
  }
  if (hostname.startsWith('email')) return { service: 'email', operation: 'SendEmail', input: JSON.parse(text) };
  if (hostname.startsWith('sns')) {
    const input = Object.fromEntries(new URLSearchParams(text));
    return { service: 'sns', operation: String(input.Action), input };
  }
  if (hostname.startsWith('scheduler')) {
    const operation = { POST: 'CreateSchedule', DELETE: 'DeleteSchedule' }[method] ?? method;
    const [pathname = ''] = path.split('?');
    const Name = decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1));
    return { service: 'scheduler', operation, input: { ...JSON.parse(text), Name } };
  }
  throw new Error(`The simulation has no ${hostname}${path}`);
}

function response(
  statusCode: number,
  content: object,
  { service, operation }: AwsRequest,
  error?: string,
): HttpResponse {
  const body =
    service === 'sns'
      ? error
        ? `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message/></Error><RequestId>1</RequestId></ErrorResponse>`
        : `<${operation}Response><${operation}Result><MessageId>1</MessageId></${operation}Result></${operation}Response>`
      : JSON.stringify(content);
  return {
    statusCode,
    reason: String(statusCode),
    headers: { 'content-type': 'application/x-amz-json-1.0', ...(error && { 'x-amzn-errortype': error }) },
    body: Buffer.from(body),
  };
}

/** One way, in ms. Some take much longer than others, so that what was read is old by the time of the write. */
function latency(random: Random): number {
  return random.chance(0.1) ? random.between(12, 300) : random.between(1, 12);
}

/** The failure of a request that took the place of another one, with a reason for each action of that one. */
function asOf({ input: asked }: AwsRequest, { input: sent }: AwsRequest, error: AwsFailure): Error {
  const reasons = error.members?.CancellationReasons as object[] | undefined;
  if (!reasons) return error;
  const CancellationReasons = (asked.TransactItems as object[]).map((action) => {
    return reasons[(sent.TransactItems as object[]).indexOf(action)] ?? { Code: 'None' };
  });
  return new AwsFailure(error.name, error.message, { members: { CancellationReasons } });
}

function connectionReset(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', name: 'TimeoutError' });
}

function throttled({ service }: AwsRequest): AwsFailure {
  if (service === 'dynamodb') {
    return new AwsFailure('ProvisionedThroughputExceededException', 'Too many requests');
  }
  return new AwsFailure('ThrottlingException', 'Rate exceeded', { status: 429 });
}

function canceledByConflict({ input }: AwsRequest): AwsFailure {
  const actions: object[] = input.TransactItems;
  const CancellationReasons = actions.map((_, index) => ({ Code: index === 0 ? 'TransactionConflict' : 'None' }));
  return new AwsFailure('TransactionCanceledException', 'Transaction cancelled, please refer cancellation reasons', {
    members: { CancellationReasons },
  });
}

/** What a request does, in few words: the operation, and the keys or events. */
function describe({ service, operation, input }: AwsRequest): string {
  if (service === 'email')
    return `mail to ${input.Destination?.ToAddresses?.[0]}: ${input.Content?.Simple?.Subject?.Data}`;
  if (service === 'scheduler') return `${operation} ${input.Name}`;
  if (service === 'kms') return operation;
  if (service === 'events') {
    const entries: { DetailType: string }[] = input.Entries ?? [];
    return `PutEvents ${entries.map(({ DetailType }) => DetailType).join(', ')}`;
  }
  if (service === 'dynamodb') {
    const actions: Record<string, Record<string, unknown>>[] = input.TransactItems ?? [];
    const keys =
      actions.length > 0
        ? actions.map((action) =>
            Object.entries(action)
              .map(([kind, write]) => `${kind} ${keyText(write)}`)
              .join(),
          )
        : [keyText(input)];
    return `${operation} ${keys.filter(Boolean).join(', ')}`;
  }
  const url = String(input.QueueUrl ?? '');
  return `${operation} ${url.slice(url.lastIndexOf('/') + 1)}`;
}

function keyText(write: Record<string, unknown>): string {
  const values = (write.ExpressionAttributeValues ?? {}) as Record<string, { S?: string }>;
  const key = (write.Key ?? write.Item ?? {}) as Record<string, { S?: string }>;
  const [partition, sort] = [key.pk?.S ?? key.id?.S ?? values[':stream']?.S ?? values[':pk']?.S, key.sk?.S];
  if (partition === undefined) return '';
  return sort === undefined || partition.startsWith(sort) || sort === 'STOCK' ? partition : `${partition}/${sort}`;
}

function outcome({ operation }: AwsRequest, output: object): string {
  const { FailedEntryCount } = output as { FailedEntryCount?: number };
  if (FailedEntryCount) return `: ${FailedEntryCount} refused`;
  return operation === 'GetItem' && !('Item' in output) ? ': nothing there' : '';
}
