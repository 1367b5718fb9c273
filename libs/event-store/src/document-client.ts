import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * A document client that leaves out undefined fields, as JSON does. Make one for each function and keep it.
 *
 * It does without the SDK's log of requests, which copies each of them and its answer even when nobody logs.
 *
 * It also leaves out the request token that the SDK adds to a transaction, by which DynamoDB recognises a repeated one
 * for ten minutes. Every `commit` recognises it by its own conditions, for ever, and a token is not free everywhere: the
 * local DynamoDB looks through all tokens of those ten minutes at every transaction.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken
 */
export function documentClient(client = new DynamoDBClient({})): DynamoDBDocumentClient {
  client.middlewareStack.remove('loggerMiddleware');
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const request = args.request as { body?: unknown };
        if (commandName === 'TransactWriteItemsCommand') request.body = withoutToken(request.body as Uint8Array);
        return next(args);
      },
    // After the body is written and before its length is.
    { name: 'withoutClientRequestToken', step: 'build', priority: 'high', override: true },
  );
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** The SDK writes it last, with 36 characters. */
const TOKEN = /,"ClientRequestToken":"[^"]*"\}$/;

function withoutToken({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  const body = Buffer.from(buffer, byteOffset, byteLength);
  // The end alone, because there may be megabytes before it.
  const [token = ''] = TOKEN.exec(body.subarray(-64).toString()) ?? [];
  return token ? Buffer.concat([body.subarray(0, -token.length), Buffer.from('}')]) : body;
}
