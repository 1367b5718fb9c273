import { randomUUID } from 'node:crypto';
import { s3Error } from '../errors.ts';
import {
  configurationDocument,
  type NotificationConfiguration,
  readConfiguration,
} from '../notifications/configuration.ts';
import type { Notifier } from '../notifications/notifier.ts';
import { requiredDocument } from './bucket-settings.ts';
import type { S3Context } from './context.ts';
import type { S3Operation } from './input.ts';

type NotificationOperation = 'GetBucketNotificationConfiguration' | 'PutBucketNotificationConfiguration';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html */
export function notificationOperations(
  context: S3Context,
  notifier: Notifier,
): Record<NotificationOperation, S3Operation> {
  const { buckets } = context.store;
  return {
    GetBucketNotificationConfiguration: (input) => {
      const { name } = context.bucket(input);
      const configuration = buckets.setting<NotificationConfiguration>(name, 'notification');
      return configuration ? configurationDocument(configuration) : {};
    },
    PutBucketNotificationConfiguration: async (input, caller) => {
      const { name } = context.bucket(input);
      const configuration = readConfiguration(requiredDocument(input, 'NotificationConfiguration'), randomUUID);
      if (input.SkipDestinationValidation !== true) {
        for (const { kind, arn } of configuration.targets) {
          if (kind === 'function') continue;
          await notifier.sendTestEvent(name, arn, caller.requestId ?? randomUUID()).catch((error: Error) => {
            const message = 'Unable to validate the following destination configurations';
            throw s3Error('InvalidArgument', `${message}: ${error.message}`, { ArgumentName: arn });
          });
        }
      }
      context.bucket(input);
      buckets.setSetting(name, 'notification', configuration);
      return {};
    },
  };
}
