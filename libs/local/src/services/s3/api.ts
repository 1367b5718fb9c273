import type { Clock } from '../../core/clock.ts';
import type { Deliver } from '../../core/delivery.ts';
import { notImplemented } from './errors.ts';
import { startLifecycle } from './lifecycle.ts';
import { Notifier } from './notifications/notifier.ts';
import { aclOperations } from './operations/acl-operations.ts';
import { bucketOperations } from './operations/bucket-operations.ts';
import { settingOperations } from './operations/bucket-settings.ts';
import { S3Context } from './operations/context.ts';
import { copyOperations } from './operations/copy-object.ts';
import { deleteOperations } from './operations/delete-objects.ts';
import { getOperations } from './operations/get-object.ts';
import type { S3Caller, S3Input, S3Operation, S3Output } from './operations/input.ts';
import { listOperations } from './operations/list-objects.ts';
import { listUploadOperations } from './operations/list-uploads.ts';
import { multipartOperations } from './operations/multipart-uploads.ts';
import { notificationOperations } from './operations/notification-operations.ts';
import { putOperations } from './operations/put-object.ts';
import { taggingOperations } from './operations/tagging-operations.ts';
import { S3Store } from './store/index.ts';

export interface S3Options {
  region: string;
  accountId: string;
  /** For S3 alone; in memory without one. */
  dataDirectory?: string | undefined;
  clock: Clock;
  deliver: Deliver;
  warn: (message: string) => void;
}

/** S3 without HTTP. */
export interface S3 extends AsyncDisposable {
  readonly region: string;
  readonly accountId: string;
  readonly store: S3Store;
  /** Starts what S3 does by itself: it delivers notifications and runs the lifecycle rules. */
  activate: () => void;
  /** Stops it. What has not been delivered is delivered after the next start. */
  deactivate: () => Promise<void>;
  /** The policy of the bucket with this ARN, or of the object's bucket, as JSON; undefined without one. */
  policyOf: (arn: string) => string | undefined;
  /**
   * Calls an operation.
   *
   * @param operation as in the API reference, and `PostObject` for the forms of browsers
   * @returns the output with the names of the API reference. The `Body` of GetObject must be read or disposed of
   * @throws S3Error with the code that S3 has for it; NotImplemented for an operation that is not here
   * @example await s3.call('PutObject', { Bucket: 'uploads', Key: 'a.txt', Body: 'Hello' });
   */
  call: (operation: string, input: S3Input, caller?: S3Caller) => Promise<S3Output>;
}

/**
 * Starts S3.
 *
 * What an operation has answered is kept: with a data directory it survives this process, however it ends.
 *
 * @example
 * await using s3 = startS3({ region: 'eu-central-1', accountId: '000000000000', clock, deliver: host.deliver, warn });
 * s3.activate();
 */
export function startS3(options: S3Options): S3 {
  const { region, accountId, clock, deliver, warn } = options;
  const store = new S3Store(options.dataDirectory);
  const notifier = new Notifier({ store, clock, accountId, region, deliver, warn });
  const notify: S3Context['notify'] = (change, caller) => notifier.notify(change, caller);
  const context = new S3Context({ store, clock, region, accountId, notify });
  const operations: Readonly<Record<string, S3Operation>> = {
    ...bucketOperations(context),
    ...settingOperations(context),
    ...notificationOperations(context, notifier),
    ...aclOperations(context),
    ...taggingOperations(context),
    ...putOperations(context),
    ...getOperations(context),
    ...copyOperations(context),
    ...deleteOperations(context),
    ...listOperations(context),
    ...multipartOperations(context),
    ...listUploadOperations(context),
  };
  let stopLifecycle = (): void => {};
  const deactivate = async (): Promise<void> => {
    stopLifecycle();
    await notifier[Symbol.asyncDispose]();
  };
  return {
    region,
    accountId,
    store,
    policyOf: (arn) => store.buckets.setting(/^arn:aws:s3:::([^/]+)/.exec(arn)?.[1] ?? '', 'policy'),
    call: async (operation, input, caller = {}) => {
      if (!Object.hasOwn(operations, operation)) throw notImplemented(operation.slice(0, 100));
      return (operations[operation] as S3Operation)(input, caller);
    },
    activate: () => {
      notifier.start();
      stopLifecycle = startLifecycle(context, warn);
    },
    deactivate,
    [Symbol.asyncDispose]: async () => {
      await deactivate();
      store[Symbol.dispose]();
    },
  };
}
