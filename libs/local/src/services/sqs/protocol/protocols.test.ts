import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type SqsServer, startSqsServer } from '../server.ts';
import { inputs } from './inputs.ts';

let server: SqsServer;
let client: SQSClient;

beforeAll(async () => {
  server = await startSqsServer();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new SQSClient({ endpoint: server.endpoint, region: 'us-east-1', credentials });
});

afterAll(async () => {
  client.destroy();
  await server[Symbol.asyncDispose]();
});

let created = 0;

async function createQueue(attributes: Record<string, string> = {}): Promise<string> {
  created += 1;
  const QueueName = `q${created}${attributes.FifoQueue ? '.fifo' : ''}`;
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes: attributes }));
  return QueueUrl;
}

/** Sends parameters in the query protocol, in the body of a POST. */
async function query(
  parameters: Record<string, string>,
  url = `${server.endpoint}/`,
  headers: Record<string, string> = {},
) {
  const body = new URLSearchParams({ Version: '2012-11-05', ...parameters });
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

async function json(operation: string, body: string) {
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` };
  const response = await fetch(server.endpoint, { method: 'POST', headers, body });
  return { status: response.status, error: response.headers.get('x-amzn-query-error'), body: await response.json() };
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
describe('making api requests json', () => {
  test('the SDK sends, receives and deletes, and finds all digests right', async () => {
    const QueueUrl = await createQueue({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    const MessageAttributes = {
      text: { DataType: 'String', StringValue: 'ä' },
      bytes: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) },
    };
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'ä', MessageGroupId: 'g', MessageAttributes }));
    const Entries = ['b', 'c'].map((body) => ({ Id: body, MessageBody: body, MessageGroupId: 'g' }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const receive = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
    const { Messages = [] } = await client.send(new ReceiveMessageCommand(receive));
    expect(Messages.map(({ Body }) => Body)).toEqual(['ä', 'b', 'c']);
    expect(Messages[0]?.MessageAttributes?.bytes?.BinaryValue).toEqual(new Uint8Array([0, 255]));
    const handles = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    const { Successful } = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: handles }));
    expect(Successful).toHaveLength(3);
    const AttributeNames = ['All' as const];
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' });
  });

  test('errors are those that the SDK knows', async () => {
    const missing = new SendMessageCommand({ QueueUrl: `${server.endpoint}/000000000000/missing`, MessageBody: 'x' });
    await expect(client.send(missing)).rejects.toThrow(QueueDoesNotExist);
    const QueueUrl = await createQueue();
    const garbage = new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'garbage' });
    await expect(client.send(garbage)).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
  });

  test('an error has its name in the body, and its code of the query protocol in the header', async () => {
    expect(await json('GetQueueUrl', '{"QueueName": "missing"}')).toEqual({
      status: 400,
      error: 'AWS.SimpleQueueService.NonExistentQueue;Sender',
      body: { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'The specified queue does not exist.' },
    });
  });

  test.each([
    ['GetQueueUrl', '{', 'SerializationException'],
    ['GetQueueUrl', '[]', 'SerializationException'],
    ['GetQueueUrl', 'null', 'SerializationException'],
    ['GetQueueUrl', '{"QueueName": 1}', 'SerializationException'],
    ['GetQueueUrl', '{"QueueName": null}', 'MissingParameter'],
    ['GetQueueUrl', '', 'MissingParameter'],
    ['ReceiveMessage', '{"QueueUrl": "q", "MaxNumberOfMessages": 1.5}', 'SerializationException'],
    ['ReceiveMessage', '{"QueueUrl": "q", "MaxNumberOfMessages": "1"}', 'SerializationException'],
    ['SendMessageBatch', '{"QueueUrl": "q", "Entries": {"0": 1}}', 'SerializationException'],
    ['SendMessageBatch', '{"QueueUrl": "q", "Entries": [null]}', 'SerializationException'],
    ['FlyAway', '{}', 'UnknownOperationException'],
    ['constructor', '{}', 'UnknownOperationException'],
  ])('%s with %s is refused as %s', async (operation, body, code) => {
    const answer = await json(operation, body);
    expect(answer.error).toBe(`${code};Sender`);
  });

  test('no request, however malformed, is answered with a server error', async () => {
    const QueueUrl = await createQueue();
    const operations = Object.keys(inputs).filter((name) => name !== 'DeleteQueue');
    const names = [...new Set(Object.values(inputs).flatMap(({ members }) => Object.keys(members)))];
    const value = fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom('__proto__', -1, 1e300, '{}', '[]', QueueUrl));
    const input = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 8 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operations), input, async (operation, given) => {
        const body = JSON.stringify({ ...given, QueueUrl, WaitTimeSeconds: 0 });
        expect((await json(operation, body)).status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
describe('making api requests xml', () => {
  test('a message that is sent arrives, and is shown with its attributes', async () => {
    const QueueUrl = await createQueue();
    const sent = await query({
      Action: 'SendMessage',
      QueueUrl,
      MessageBody: '<a href="x">&amp;</a>\r\n',
      DelaySeconds: '0',
      'MessageAttribute.1.Name': 'kind',
      'MessageAttribute.1.Value.DataType': 'String',
      'MessageAttribute.1.Value.StringValue': '<order>',
      'MessageSystemAttribute.1.Name': 'AWSTraceHeader',
      'MessageSystemAttribute.1.Value.DataType': 'String',
      'MessageSystemAttribute.1.Value.StringValue': 'Root=1',
    });
    expect(sent).toMatchObject({ status: 200, type: 'text/xml' });
    expect(sent.text).toContain('<SendMessageResult><MessageId>');
    expect(sent.text).toContain('<MD5OfMessageSystemAttributes>');
    const received = await query({
      Action: 'ReceiveMessage',
      QueueUrl,
      'AttributeName.1': 'All',
      'MessageAttributeName.1': 'kind',
    });
    expect(received.text).toContain('<Body>&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/a&gt;&#xD;\n</Body>');
    expect(received.text).toContain('<Attribute><Name>AWSTraceHeader</Name><Value>Root=1</Value></Attribute>');
    expect(received.text).toContain(
      '<MessageAttribute><Name>kind</Name><Value><StringValue>&lt;order&gt;</StringValue><DataType>String</DataType></Value></MessageAttribute>',
    );
  });

  test('batches, numbered as they like, and their failures', async () => {
    const QueueUrl = await createQueue();
    const { text } = await query({
      Action: 'SendMessageBatch',
      QueueUrl,
      'SendMessageBatchRequestEntry.7.Id': 'second',
      'SendMessageBatchRequestEntry.7.MessageBody': 'b',
      'SendMessageBatchRequestEntry.7.DelaySeconds': '901',
      'SendMessageBatchRequestEntry.3.Id': 'first',
      'SendMessageBatchRequestEntry.3.MessageBody': 'a',
    });
    expect(text).toMatch(/<SendMessageBatchResultEntry><Id>first<\/Id><MessageId>/);
    expect(text).toMatch(
      /<BatchResultErrorEntry><Id>second<\/Id><SenderFault>true<\/SenderFault><Code>InvalidParameterValue</,
    );
  });

  test('a request to the URL of a queue is about this queue, and about nothing else', async () => {
    const url = await createQueue();
    const answer = await query({ Action: 'GetQueueAttributes', 'AttributeName.1': 'QueueArn' }, url);
    expect(answer.text).toContain(
      `<Attribute><Name>QueueArn</Name><Value>${server.sqs.queues.arnOf(url.split('/').pop() ?? '')}`,
    );
    for (const Action of ['ListQueues', 'CreateQueue', 'FlyAway']) {
      const refused = await query({ Action, QueueName: 'x' }, url);
      expect(refused).toMatchObject({ status: 400 });
      expect(refused.text).toContain('<Type>Sender</Type><Code>InvalidAction</Code>');
    }
    expect(await query({}, url)).toMatchObject({
      status: 404,
      text: expect.stringContaining('<UnknownOperationException'),
    });
  });

  test('a client that accepts JSON gets the same answer in JSON', async () => {
    const url = await createQueue();
    const accept = { accept: 'application/json' };
    const answer = await query({ Action: 'GetQueueAttributes', 'AttributeName.1': 'DelaySeconds' }, url, accept);
    expect(JSON.parse(answer.text)).toMatchObject({
      GetQueueAttributesResponse: {
        GetQueueAttributesResult: { Attributes: [{ Name: 'DelaySeconds', Value: '0' }] },
        ResponseMetadata: { RequestId: expect.any(String) },
      },
    });
    const refused = await query({ Action: 'ListQueues' }, url, accept);
    expect(JSON.parse(refused.text)).toMatchObject({ Error: { Code: 'InvalidAction', Type: 'Sender' } });
  });

  test.each([
    [{ Action: 'SendMessage' }, 'MissingParameter'],
    [{ Action: 'SendMessage', MessageBody: 'x', DelaySeconds: 'soon' }, 'InvalidParameterValue'],
    [{ Action: 'ReceiveMessage', MaxNumberOfMessages: '11' }, 'InvalidParameterValue'],
    [{ Action: 'DeleteMessage', ReceiptHandle: 'garbage' }, 'ReceiptHandleIsInvalid'],
    [{ Action: 'SendMessageBatch' }, 'AWS.SimpleQueueService.EmptyBatchRequest'],
    [
      { Action: 'SetQueueAttributes', 'Attribute.1.Name': 'Colour', 'Attribute.1.Value': 'red' },
      'InvalidAttributeName',
    ],
  ])('%j is refused as %s', async (parameters, code) => {
    const { status, text } = await query(parameters, await createQueue());
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text).toContain(`<Code>${code}</Code>`);
  });

  test('no parameters, however malformed, are answered with a server error', async () => {
    const url = await createQueue();
    const part = fc.constantFrom(
      'Attribute',
      'MessageAttribute',
      '1',
      '2',
      'Name',
      'Value',
      'StringValue',
      '__proto__',
      'Tag',
      'Key',
      '',
    );
    const name = fc.array(part, { minLength: 1, maxLength: 10 }).map((parts) => parts.join('.'));
    const parameters = fc.dictionary(name, fc.string(), { maxKeys: 10 });
    const actions = Object.keys(inputs).filter((action) => action !== 'DeleteQueue');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...actions), parameters, async (Action, given) => {
        expect((await query({ ...given, Action, WaitTimeSeconds: '0' }, url)).status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});
