import type { AwsPort } from './aws-port.ts';
import { busName } from './deployed-stage.ts';
import { takeAll } from './queues.ts';

/** An event that was on the bus. */
export interface HeardEvent {
  id: string;
  text: string;
  event: { source: string; 'detail-type': string; detail: unknown };
  /** The X-Ray header that it was put with. */
  traceHeader: string | undefined;
}

/** Listens to everything on the bus, whoever put it there: a rule and a queue of its own. */
export class Tap {
  readonly #aws: AwsPort;
  readonly #queueUrl: string;

  constructor(aws: AwsPort, queueUrl: string) {
    this.#aws = aws;
    this.#queueUrl = queueUrl;
  }

  /** What was heard since the last call. */
  async heard(handle: (event: HeardEvent) => void): Promise<void> {
    await takeAll(this.#aws, this.#queueUrl, ({ Body, Attributes = {} }) => {
      const event = JSON.parse(Body) as HeardEvent['event'] & { id: string };
      handle({ id: event.id, text: Body, event, traceHeader: Attributes.AWSTraceHeader });
    });
  }
}

/** Puts a tap on the bus. */
export async function openTap(aws: AwsPort): Promise<Tap> {
  const name = 'hostile-tap';
  const { QueueUrl } = await aws.call<{ QueueUrl: string }>('sqs', 'CreateQueue', { QueueName: name });
  const { Attributes } = await aws.call<{ Attributes: { QueueArn: string } }>('sqs', 'GetQueueAttributes', {
    QueueUrl,
    AttributeNames: ['QueueArn'],
  });
  const Arn = Attributes.QueueArn;
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: Arn,
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await aws.call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy } });
  const rule = { EventBusName: busName };
  await aws.call('events', 'PutRule', { ...rule, Name: name, EventPattern: '{"version":["0"]}' });
  await aws.call('events', 'PutTargets', { ...rule, Rule: name, Targets: [{ Id: 'tap', Arn }] });
  return new Tap(aws, QueueUrl);
}
