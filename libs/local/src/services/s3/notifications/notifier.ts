import type { Clock } from '../../../core/clock.ts';
import type { Deliver } from '../../../core/delivery.ts';
import { DurableDeliveries } from '../../../core/durable-deliveries.ts';
import type { S3Caller } from '../operations/input.ts';
import type { S3Store } from '../store/index.ts';
import { isInterested, type NotificationConfiguration } from './configuration.ts';
import { eventBridgeEvent, eventRecords } from './event-records.ts';
import type { ObjectChange } from './object-change.ts';

interface Notification {
  targetArn: string;
  payload: string;
  bucket: string;
}

/** AWS says that notifications are delivered at least once, and not for how long it tries. This is as long as EventBridge does. */
const GIVE_UP_AFTER_FAILURES = 185;
const LONGEST_DELAY_MS = 10 * 60_000;

/**
 * Tells queues, topics, functions and the default bus of changes of objects.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
 */
export class Notifier implements AsyncDisposable {
  readonly #store: S3Store;
  readonly #clock: Clock;
  readonly #accountId: string;
  readonly #region: string;
  readonly #deliver: Deliver;
  readonly #deliveries: DurableDeliveries<Notification>;

  constructor(options: {
    store: S3Store;
    clock: Clock;
    accountId: string;
    region: string;
    deliver: Deliver;
    /** Told of notifications that are given up. */
    warn: (message: string) => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#accountId = options.accountId;
    this.#region = options.region;
    this.#deliver = options.deliver;
    this.#deliveries = new DurableDeliveries<Notification>({
      database: options.store.database,
      clock: options.clock,
      warn: options.warn,
      attempt: ({ targetArn, payload, bucket }) => options.deliver(targetArn, payload, { sender: senderOf(bucket) }),
      retryAfter: (failures) =>
        failures > GIVE_UP_AFTER_FAILURES ? undefined : Math.min(1000 * 2 ** (failures - 1), LONGEST_DELAY_MS),
      giveUp: async ({ targetArn, bucket }, error) => {
        options.warn(`A notification of bucket ${bucket} could not be delivered to ${targetArn}: ${error.message}`);
      },
    });
  }

  /** Delivers what is to be delivered, from now on. */
  start(): void {
    this.#deliveries.start();
  }

  /** Called in the transaction that makes the change. What it is told of is delivered even if this process ends then. */
  notify(change: ObjectChange, caller: S3Caller): void {
    const { bucket, key, event } = change;
    const configuration = this.#store.buckets.setting<NotificationConfiguration>(bucket, 'notification');
    const sequence = this.#store.nextSequence();
    if (!configuration) return;
    const [accountId, region, time] = [this.#accountId, this.#region, this.#clock.now()];
    const observed = { change, caller, accountId, region, time, sequence };
    for (const target of configuration.targets) {
      if (!isInterested(target, event, key)) continue;
      this.#deliveries.add({
        targetArn: target.arn,
        payload: JSON.stringify(eventRecords(observed, target.id)),
        bucket,
      });
    }
    if (configuration.eventBridge) {
      const targetArn = `arn:aws:events:${region}:${accountId}:event-bus/default`;
      this.#deliveries.add({ targetArn, payload: JSON.stringify(eventBridgeEvent(observed)), bucket });
    }
  }

  /** Sends the message that queues and topics get when they are configured. Throws what the delivery throws. */
  sendTestEvent(bucket: string, targetArn: string, requestId: string): Promise<void> {
    const message = {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: new Date(this.#clock.now()).toISOString(),
      Bucket: bucket,
      RequestId: requestId,
      HostId: requestId,
    };
    return this.#deliver(targetArn, JSON.stringify(message), { sender: senderOf(bucket) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deliveries[Symbol.asyncDispose]();
  }
}

function senderOf(bucket: string): { service: string; sourceArn: string } {
  return { service: 's3.amazonaws.com', sourceArn: `arn:aws:s3:::${bucket}` };
}
