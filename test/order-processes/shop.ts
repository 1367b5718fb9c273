import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { type DocumentClient, documentClient, GetCommand, paginateScan, UpdateCommand } from '@millrace/aws';
import { compilePattern } from '@millrace/event-pattern';
import type { HttpApiEvent } from '@millrace/http';
import { httpRequest, insertRecord, lambdaContext, sqsEvent, sqsRecord, streamEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type {
  APIGatewayProxyStructuredResultV2,
  Context,
  DynamoDBRecord,
  SQSBatchResponse,
  SQSEvent,
  SQSRecord,
} from 'aws-lambda';
import { ANALYTICS_BUS, type FunctionDefinition, queueUrl, readDeployment } from '../simulation/deployment.ts';
import type { Ending } from './scripts.ts';

type Handler = (event: unknown, context: Context) => Promise<unknown>;
type ConsumerDefinition = NonNullable<FunctionDefinition['consumer']>;

/** The services that take part in the order process. */
const services = new Set(['orders', 'inventory', 'payments', 'fulfillment', 'notifications', 'checkout']);
const CUSTOMER = 'customer-1';
const BATCH = 10;

/** Answers an operation of an AWS API that the shop does not play itself. */
export type AnswerAws = (operation: string, input: Record<string, unknown>) => Promise<unknown>;

interface PutEntry {
  EventBusName?: string;
  Source: string;
  DetailType: string;
  Detail: string;
  /** Seconds since 1970. */
  Time: number;
}

interface Message {
  consumer: ConsumerDefinition;
  record: SQSRecord;
}

/**
 * All services of the order process in this process: their real handlers with their variables, tables and consumers. What
 * they store for the bus is delivered by `settle`, once the test wants it to be.
 */
export class Shop implements AsyncDisposable {
  /** Mails by their recipient. */
  readonly mails = new Map<string, string[]>();
  /** What consumers have given up. */
  readonly deadLetters: string[] = [];
  /** Asked before an event is delivered, with its order: true keeps it back until the next round of `settle`. */
  keepsBack: (detailType: string, orderId: string) => Promise<boolean> = async () => false;
  readonly #dynamoDb: TestDynamoDb;
  readonly #client: DocumentClient;
  readonly #server: Server;
  readonly #functions: readonly FunctionDefinition[];
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #emitted = new Set<string>();
  /** Events for the next round of `settle`. */
  readonly #keptBack: PutEntry[] = [];
  #messages: Message[] = [];

  private constructor(
    parts: { dynamoDb: TestDynamoDb; server: Server },
    functions: readonly FunctionDefinition[],
    handlers: ReadonlyMap<string, Handler>,
  ) {
    this.#dynamoDb = parts.dynamoDb;
    this.#server = parts.server;
    this.#client = documentClient();
    this.#functions = functions;
    this.#handlers = handlers;
  }

  /** Starts the services. There is one shop in a process: modules read their variables once. */
  static async open(answerAws: AnswerAws): Promise<Shop> {
    const dynamoDb = await startTestDynamoDb();
    let shop: Shop | undefined;
    const server = createServer(async (request, response) => {
      const { status, body } = await answerTo(request, (operation, input) =>
        shop ? shop.#answer(operation, input, answerAws) : Promise.resolve({}),
      );
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const deployment = readDeployment();
    for (const { input } of deployment.tables) {
      const keys = (input.KeySchema as { AttributeName: string }[]).map(({ AttributeName }) => AttributeName);
      await dynamoDb.createTable(String(input.TableName), keys as [string, string?]);
    }
    const functions = deployment.functions.filter(({ service }) => services.has(service));
    const handlers = new Map<string, Handler>();
    for (const { name, file, environment } of functions) {
      Object.assign(process.env, environment, {
        AWS_ENDPOINT_URL_SQS: endpoint,
        AWS_ENDPOINT_URL_SESV2: endpoint,
        AWS_ENDPOINT_URL_SFN: endpoint,
        AWS_ENDPOINT_URL_EVENTBRIDGE: endpoint,
        AWS_ENDPOINT_URL_SCHEDULER: endpoint,
        AWS_ENDPOINT_URL_KMS: endpoint,
        ...(environment.MILLRACE_STATE_MACHINE && { MILLRACE_STATE_MACHINE: stateMachineArn }),
        ...(environment.MILLRACE_CHECKOUT_FUNCTION && { MILLRACE_CHECKOUT_FUNCTION: checkoutFunctionArn }),
      });
      // Handlers read their environment when they are imported, as in Lambda's init phase.
      handlers.set(name, (await import(file)).handler);
    }
    shop = new Shop({ dynamoDb, server }, functions, handlers);
    return shop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#dynamoDb.stop();
  }

  /** Invokes a function, e.g. `inventory.reserveStockForCheckout`. @throws what its handler throws */
  async invoke(name: string, event: unknown): Promise<unknown> {
    const handler = this.#handlers.get(name);
    if (!handler) throw new Error(`There is no function ${name}`);
    return handler(event, lambdaContext());
  }

  /** Calls a route in the name of the customer, or of somebody else. @throws Error for an answer that is not 2xx */
  async request(
    name: string,
    route: `${string} ${string}`,
    { sub = CUSTOMER, ...options }: { sub?: string; path?: Record<string, string>; body?: unknown } = {},
  ): Promise<Record<string, unknown>> {
    const event: HttpApiEvent = httpRequest(route, { ...options, claims: { sub } });
    const { statusCode = 0, body = '' } = (await this.invoke(name, event)) as APIGatewayProxyStructuredResultV2;
    if (statusCode >= 300) throw new Error(`${route} answered ${statusCode}: ${body}`);
    return JSON.parse(body);
  }

  /** Sets the stock of SKUs. */
  async fill(stock: Readonly<Record<string, number>>): Promise<void> {
    for (const [sku, available] of Object.entries(stock)) {
      await this.request('inventory.putStock', 'PUT /stock/{sku}', { path: { sku }, body: { available } });
    }
  }

  /** What is left of SKUs. */
  async stockOf(skus: readonly string[]) {
    return Object.fromEntries(
      await Promise.all(
        skus.map(async (sku) => {
          const { available, reserved, shipped } = await this.#row('inventory', `STOCK#${sku}`, 'STOCK');
          return [sku, { available, reserved: reserved ?? 0, shipped: shipped ?? 0 }] as const;
        }),
      ),
    );
  }

  /** Makes a process take a checkout that was requested. */
  async choose(checkoutId: string, process: 'state-machine' | 'durable-function'): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: 'millrace-checkout-dev',
        Key: { pk: `CHECKOUT#${checkoutId}`, sk: 'CHECKOUT' },
        UpdateExpression: 'SET #process = :process',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#process': 'process' },
        ExpressionAttributeValues: { ':process': process },
      }),
    );
  }

  /** How an order has ended. */
  async ending(orderId: string): Promise<Ending> {
    const { status } = (await this.request('orders.getOrder', 'GET /orders/{orderId}', { path: { orderId } })) as {
      status: Ending['status'];
    };
    const payment = await this.#row('payments', `PAYMENT#${orderId}`, 'PAYMENT');
    const shipment = await this.#row('fulfillment', `SHIPMENT#${orderId}`, 'SHIPMENT');
    const money = ({ CAPTURED: 'kept', REFUNDED: 'returned' } as const)[String(payment.status)] ?? 'none';
    return { status, money, shipped: shipment.status === 'CREATED' };
  }

  /** Charges and refunds that the bank has made more than once. */
  async repeatedPayments(): Promise<string[]> {
    const repeated: string[] = [];
    const scan = {
      TableName: 'millrace-payments-dev',
      FilterExpression: 'begins_with(pk, :pk) AND size(acts) > :one',
      ExpressionAttributeValues: { ':pk': 'SANDBOX#', ':one': 1 },
    };
    for await (const { Items = [] } of paginateScan(this.#client, scan)) repeated.push(...Items.map(({ pk }) => pk));
    return repeated;
  }

  async #row(service: string, pk: string, sk: string): Promise<Record<string, unknown>> {
    const get = new GetCommand({ TableName: `millrace-${service}-dev`, Key: { pk, sk }, ConsistentRead: true });
    return (await this.#client.send(get)).Item ?? {};
  }

  /** Delivers what is stored for the bus, and what follows from it, until there is nothing left. */
  async settle(): Promise<void> {
    while (await this.#hasNews()) {
      const batches = Map.groupBy(this.#messages, ({ consumer }) => consumer.consumer);
      this.#messages = [];
      for (const messages of batches.values()) {
        for (let start = 0; start < messages.length; start += BATCH) {
          await this.#deliver(messages.slice(start, start + BATCH));
        }
      }
    }
  }

  async #hasNews(): Promise<boolean> {
    for (const entry of this.#keptBack.splice(0)) await this.#publish(entry);
    for (const service of services) if (service !== 'notifications') await this.#emit(service); // it emits nothing
    return this.#messages.length + this.#keptBack.length > 0;
  }

  /** Hands a table's new rows to its relay, in the place of its stream. */
  async #emit(service: string): Promise<void> {
    const TableName = `millrace-${service}-dev`;
    const fresh: { pk: string; sk: string }[] = [];
    const scan = { TableName, FilterExpression: 'attribute_exists(outbox)', ProjectionExpression: 'pk, sk' };
    for await (const { Items = [] } of paginateScan(this.#client, scan)) {
      fresh.push(...(Items as typeof fresh).filter(({ pk, sk }) => !this.#emitted.has(`${service} ${pk} ${sk}`)));
    }
    const records: DynamoDBRecord[] = [];
    for (const { pk, sk } of fresh) {
      const Key = { pk: { S: pk }, sk: { S: sk } };
      const { Item = {} } = await this.#dynamoDb.client.send(new GetItemCommand({ TableName, Key }));
      this.#emitted.add(`${service} ${pk} ${sk}`);
      records.push(insertRecord(Item as Parameters<typeof insertRecord>[0], String(this.#emitted.size)));
    }
    if (records.length > 0) {
      const { batchItemFailures } = (await this.invoke(
        `${service}.relay`,
        streamEvent(...records),
      )) as SQSBatchResponse;
      if (batchItemFailures.length > 0) throw new Error(`The relay of ${service} has failed`);
    }
  }

  async #putEvents(Entries: readonly PutEntry[]): Promise<object> {
    // What is put on the analytics bus goes to functions that are not in this shop.
    for (const entry of Entries) if (entry.EventBusName !== ANALYTICS_BUS) await this.#publish(entry);
    return { FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: randomUUID() })) };
  }

  async #publish(entry: PutEntry): Promise<void> {
    const { Source, DetailType, Detail, Time } = entry;
    if (await this.keepsBack(DetailType, JSON.parse(Detail).metadata.subject)) {
      this.#keptBack.push(entry);
      return;
    }
    const envelope = {
      ...{ version: '0', id: randomUUID(), 'detail-type': DetailType, source: Source, account: '000000000000' },
      time: new Date(Time * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
      ...{ region: 'us-east-1', resources: [], detail: JSON.parse(Detail) },
    };
    for (const { consumer } of this.#functions) {
      if (!consumer?.detailTypes.includes(DetailType)) continue;
      if (consumer.filter && !compilePattern({ detail: consumer.filter })(envelope)) continue;
      this.#messages.push({ consumer, record: sqsRecord(JSON.stringify(envelope)) });
    }
  }

  async #deliver(messages: readonly Message[]): Promise<void> {
    const name = messages[0]?.consumer.consumer ?? '';
    const handler = this.#handlers.get(name) as (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;
    const { batchItemFailures } = await handler(sqsEvent(...messages.map(({ record }) => record)), lambdaContext());
    for (const { itemIdentifier } of batchItemFailures) {
      const failed = messages.find(({ record }) => record.messageId === itemIdentifier);
      if (!failed) throw new Error(`${name} failed a record that it was not given`);
      const { attributes } = failed.record;
      const count = Number(attributes.ApproximateReceiveCount) + 1;
      if (count > failed.consumer.maxReceiveCount)
        this.deadLetters.push(`${name}: ${JSON.parse(failed.record.body)['detail-type']}`);
      else attributes.ApproximateReceiveCount = String(count);
      if (count <= failed.consumer.maxReceiveCount) this.#messages.push(failed);
    }
  }

  async #answer(operation: string, input: Record<string, unknown>, answerAws: AnswerAws): Promise<unknown> {
    if (operation === 'SendMail') return this.#mail(input);
    if (operation === 'ChangeMessageVisibility') return {};
    if (operation === 'GenerateMac') return { Mac: Buffer.alloc(32).toString('base64') };
    if (operation === 'SendMessage') return this.#send(input);
    if (operation === 'PutEvents') return this.#putEvents(input.Entries as PutEntry[]);
    return answerAws(operation, input);
  }

  #mail({ Destination, Content }: Record<string, unknown>): object {
    const to = String((Destination as { ToAddresses: string[] }).ToAddresses[0]);
    const subject = (Content as { Simple: { Subject: { Data: string } } }).Simple.Subject.Data;
    this.mails.set(to, [...(this.mails.get(to) ?? []), subject]);
    return { MessageId: randomUUID() };
  }

  /** What a consumer defers comes again; what it gives up is dead. */
  #send({ QueueUrl, MessageBody, MessageAttributes = {} }: Record<string, unknown>): object {
    const consumer = this.#functions.find(
      (each) => each.consumer && queueUrl(each.consumer.queue) === QueueUrl,
    )?.consumer;
    if (!consumer) {
      this.deadLetters.push(`${QueueUrl}: ${JSON.parse(String(MessageBody))['detail-type']}`);
      return { MessageId: randomUUID() };
    }
    const messageAttributes = Object.fromEntries(
      Object.entries(MessageAttributes as Record<string, { DataType: string; StringValue: string }>).map(
        ([name, { DataType, StringValue }]) => [name, { dataType: DataType, stringValue: StringValue }],
      ),
    );
    this.#messages.push({
      consumer,
      record: sqsRecord(String(MessageBody), { messageAttributes } as Partial<SQSRecord>),
    });
    return { MessageId: randomUUID() };
  }
}

const checkoutFunctionArn =
  'arn:aws:lambda:eu-central-1:000000000000:function:millrace-checkout-dev-durableCheckout:durable';
export const stateMachineArn = 'arn:aws:states:eu-central-1:000000000000:stateMachine:checkout';

/** The JSON protocols name the operation in a header; SES has it in the path. */
async function answerTo(request: IncomingMessage, answer: AnswerAws): Promise<{ status: number; body: unknown }> {
  const text = Buffer.concat(await request.toArray()).toString();
  // Time limits are longer than the scripts: no schedule runs.
  if (request.url?.startsWith('/schedules')) return { status: 200, body: { ScheduleArn: 'arn' } };
  const operation = request.url?.includes('/outbound-emails')
    ? 'SendMail'
    : String(request.headers['x-amz-target']).split('.').at(-1);
  try {
    return { status: 200, body: (await answer(operation ?? '', JSON.parse(text || '{}'))) ?? {} };
  } catch (error) {
    const { code, name, message } = error as Error & { code?: string };
    return { status: 400, body: { __type: code ?? name, message } };
  }
}
