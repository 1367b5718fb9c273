import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * A document client that leaves out undefined fields, as JSON does. Make one for each function and keep it.
 *
 * It also leaves out the request token that the SDK adds to a transaction, by which DynamoDB recognises a repeated one
 * for ten minutes. Every `commit` recognises it by its own conditions, for ever, and a token is not free everywhere: the
 * local DynamoDB looks through all tokens of those ten minutes at every transaction.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken
 */
export function documentClient(client = new DynamoDBClient({})): DynamoDBDocumentClient {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const request = args.request as { body?: unknown };
        if (commandName === 'TransactWriteItemsCommand') request.body = withoutToken(request.body);
        return next(args);
      },
    // After the body is written and before its length is.
    { name: 'withoutClientRequestToken', step: 'build', priority: 'high', override: true },
  );
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

function withoutToken(body: unknown): string {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
  const { ClientRequestToken: _, ...input } = JSON.parse(text);
  return JSON.stringify(input);
}
