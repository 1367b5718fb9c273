import { randomUUID } from 'node:crypto';
import type { Access } from '@millrace/iam-policy';
import { DeliveryError, type MessageAttribute } from '../../core/delivery.ts';
import type { Host } from '../../core/service.ts';
import { events } from '../events/index.ts';
import { s3 } from '../s3/index.ts';
import type { OutcomeEntry } from './async-outcomes.ts';
import { invalidParameter } from './lambda-errors.ts';

/** The API operation that a function's role must allow, by the service of the destination. */
const OPERATIONS: Readonly<Record<string, string>> = {
  sqs: 'SendMessage',
  sns: 'Publish',
  lambda: 'InvokeFunction',
  events: 'PutEvents',
  s3: 'PutObject',
};

/** Of the objects in buckets. */
const OBJECT_PREFIX = 'aws/lambda/';

/**
 * Where Lambda sends what has become of events, with the permissions of the function's role.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
 */
export class Destinations {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Checks a destination as Lambda does when it is configured.
   * @throws AwsError InvalidParameterValueException
   */
  check(functionName: string, arn: string): void {
    const [, , service = ''] = arn.split(':');
    const operation = OPERATIONS[service];
    if (operation === undefined) throw invalidParameter(`The destination ARN ${arn} is invalid.`);
    const resource = service === 's3' ? `${arn}/${OBJECT_PREFIX}` : arn;
    if (this.#host.authorizer.findSenderRefusal({ functionName }, accessTo(resource, operation))) {
      throw invalidParameter(`The function's execution role does not have permissions to call ${operation} on ${arn}`);
    }
  }

  /**
   * Checks a dead-letter queue as Lambda does when it is configured.
   * @throws AwsError InvalidParameterValueException
   */
  checkDeadLetterQueue(functionName: string, arn: string): void {
    const [, , service = ''] = arn.split(':');
    if ((service !== 'sqs' && service !== 'sns') || arn.endsWith('.fifo')) {
      throw invalidParameter(`The provided dead letter config target ${arn} is not a standard SQS queue or SNS topic`);
    }
    const operation = OPERATIONS[service] ?? '';
    if (this.#host.authorizer.findSenderRefusal({ functionName }, accessTo(arn, operation))) {
      throw invalidParameter(
        `The provided execution role does not have permissions to call ${operation} on ${service.toUpperCase()}`,
      );
    }
  }

  /**
   * Writes a record into a bucket.
   * @param folder of the object's name, which goes on with the time
   * @throws DeliveryError, S3's own errors
   */
  async putObject(functionName: string, bucketArn: string, folder: string, body: string): Promise<void> {
    const time = new Date(this.#host.clock.now()).toISOString();
    const name = `${time.slice(0, 19).replaceAll(':', '.')}-${randomUUID()}`;
    const Key = `${OBJECT_PREFIX}${folder}/${time.slice(0, 10).replaceAll('-', '/')}/${name}`;
    const access = { action: 's3:PutObject', resource: `${bucketArn}/${Key}` };
    const refusal = this.#host.authorizer.findSenderRefusal({ functionName }, access);
    if (refusal) throw new DeliveryError('NO_PERMISSIONS', refusal.message, false);
    const Bucket = bucketArn.slice(bucketArn.lastIndexOf(':') + 1);
    await this.#host.handleOf(s3).call('PutObject', { Bucket, Key, Body: body, ContentType: 'application/json' });
  }

  /** @throws DeliveryError */
  deliver(
    functionName: string,
    arn: string,
    body: string,
    messageAttributes?: Readonly<Record<string, MessageAttribute>>,
  ): Promise<void> {
    return this.#host.deliver(arn, body, { sender: { functionName }, messageAttributes });
  }

  /** @throws AwsError, DeliveryError */
  async putEvent(functionName: string, busArn: string, entry: OutcomeEntry): Promise<void> {
    const caller = this.#host.authorizer.callerOfSender({ functionName });
    const input = { Entries: [{ ...entry, EventBusName: busArn }] };
    const output = await this.#host.handleOf(events).handle('PutEvents', input, caller);
    const [failed] = (output as { Entries: { ErrorCode?: string; ErrorMessage?: string }[] }).Entries;
    if (failed?.ErrorCode !== undefined) {
      throw new DeliveryError(failed.ErrorCode, failed.ErrorMessage ?? failed.ErrorCode, false);
    }
  }
}

function accessTo(resource: string, operation: string): Access {
  const [, , service] = resource.split(':');
  const action = `${service}:${operation}`;
  return service === 'events'
    ? { action, resource, context: new Map([['events:source', ['lambda']]]) }
    : { action, resource };
}
