import type * as sdk from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall, type WireValue } from './attribute-value.ts';
import type { ClientOptions } from './aws-client.ts';
import { Command, type OutputOf, type Sender } from './command.ts';
import { jsonProtocol } from './protocol.ts';
import { createSender } from './sender.ts';

/** A request to DynamoDB in plain values. */
abstract class DocumentCommand<Input extends object, Output> extends Command<'dynamodb', Input, OutputOf<Output>> {
  readonly service = 'dynamodb';
}

export class GetCommand extends DocumentCommand<sdk.GetCommandInput, sdk.GetCommandOutput> {
  readonly operation = 'GetItem';
}
export class PutCommand extends DocumentCommand<sdk.PutCommandInput, sdk.PutCommandOutput> {
  readonly operation = 'PutItem';
}
export class UpdateCommand extends DocumentCommand<sdk.UpdateCommandInput, sdk.UpdateCommandOutput> {
  readonly operation = 'UpdateItem';
}
export class DeleteCommand extends DocumentCommand<sdk.DeleteCommandInput, sdk.DeleteCommandOutput> {
  readonly operation = 'DeleteItem';
}
export class QueryCommand extends DocumentCommand<sdk.QueryCommandInput, sdk.QueryCommandOutput> {
  readonly operation = 'Query';
}
export class ScanCommand extends DocumentCommand<sdk.ScanCommandInput, sdk.ScanCommandOutput> {
  readonly operation = 'Scan';
}
export class BatchGetCommand extends DocumentCommand<sdk.BatchGetCommandInput, sdk.BatchGetCommandOutput> {
  readonly operation = 'BatchGetItem';
}
export class BatchWriteCommand extends DocumentCommand<sdk.BatchWriteCommandInput, sdk.BatchWriteCommandOutput> {
  readonly operation = 'BatchWriteItem';
}

/**
 * Without a `ClientRequestToken`, by which DynamoDB recognises a repeated transaction for ten minutes: every `commit`
 * recognises it by its own conditions, for ever.
 */
export class TransactWriteCommand extends DocumentCommand<
  sdk.TransactWriteCommandInput,
  sdk.TransactWriteCommandOutput
> {
  readonly operation = 'TransactWriteItems';
}

/**
 * Reads and writes DynamoDB in plain values. Besides what every sender throws: ConditionalCheckFailedException,
 * TransactionCanceledException, and InexactNumberError or TypeError for values that DynamoDB cannot keep.
 */
export type DocumentClient = Sender<'dynamodb'>;

/**
 * A client for DynamoDB. It leaves out undefined fields, as JSON does. Make one for each function and keep it.
 *
 * @param options unless given, region, endpoint and credentials are those of the function's environment
 * @example
 * const client = documentClient();
 * const { Item } = await client.send(new GetCommand({ TableName: 'orders', Key: { pk: 'ORDER#1', sk: 'ORDER' } }));
 */
export function documentClient(options?: ClientOptions): DocumentClient {
  return createSender(
    {
      name: 'dynamodb',
      protocol: jsonProtocol('DynamoDB_20120810', '1.0'),
      endpointVariable: 'AWS_ENDPOINT_URL_DYNAMODB',
    },
    options,
    { input: wire, output: plain },
  );
}

/** The pages of a query, from its first one on. */
export function paginateQuery(
  client: DocumentClient,
  input: sdk.QueryCommandInput,
): AsyncGenerator<QueryCommand['output']> {
  return pages((ExclusiveStartKey) => client.send(new QueryCommand({ ...input, ExclusiveStartKey })));
}

/** The pages of a scan, from its first one on. */
export function paginateScan(
  client: DocumentClient,
  input: sdk.ScanCommandInput,
): AsyncGenerator<ScanCommand['output']> {
  return pages((ExclusiveStartKey) => client.send(new ScanCommand({ ...input, ExclusiveStartKey })));
}

async function* pages<Page extends { LastEvaluatedKey?: Record<string, unknown> | undefined }>(
  read: (start: Page['LastEvaluatedKey'] | undefined) => Promise<Page>,
): AsyncGenerator<Page> {
  let start: Page['LastEvaluatedKey'] | undefined;
  do {
    const page = await read(start);
    yield page;
    start = page.LastEvaluatedKey;
  } while (start);
}

/** Members that hold attributes by their names. */
const attributeMaps = new Set([
  'Item',
  'Key',
  'Attributes',
  'ExpressionAttributeValues',
  'ExclusiveStartKey',
  'LastEvaluatedKey',
]);
/** Members that hold a list of such maps. */
const attributeLists = new Set(['Items', 'Keys']);
/** Members that hold requests or answers, or lists of them, by the names of tables, or in a list. */
const containers = new Set(['RequestItems', 'TransactItems', 'Responses', 'UnprocessedKeys', 'UnprocessedItems']);
/** Members that hold one request. */
const requests = new Set(['Put', 'Update', 'Delete', 'ConditionCheck', 'PutRequest', 'DeleteRequest']);

/** Applies `convert` to all maps of attributes of an input or an output. */
function convertAttributes(message: object, convert: (values: object) => object): object {
  const converted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(message)) {
    if (value === undefined || value === null) continue;
    if (attributeMaps.has(name)) converted[name] = convert(value);
    else if (attributeLists.has(name)) converted[name] = value.map(convert);
    else if (requests.has(name)) converted[name] = convertAttributes(value, convert);
    else if (!containers.has(name)) converted[name] = value;
    else if (Array.isArray(value)) converted[name] = value.map((each) => convertAttributes(each, convert));
    else {
      converted[name] = Object.fromEntries(
        Object.entries(value as Record<string, object>).map(([table, content]) => [
          table,
          Array.isArray(content)
            ? content.map((each) => (name === 'Responses' ? convert(each) : convertAttributes(each, convert)))
            : convertAttributes(content, convert),
        ]),
      );
    }
  }
  return converted;
}

function wire(input: object): object {
  return convertAttributes(input, marshall);
}

function plain(output: object): object {
  return convertAttributes(output, (values) => unmarshall(values as Record<string, WireValue>));
}
