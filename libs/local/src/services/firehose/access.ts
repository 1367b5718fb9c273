import type { AccessOf } from '../../core/access.ts';
import { type FirehoseOperation, firehoseOperations } from './shapes.ts';

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisfirehose.html */
export const firehoseAccess: AccessOf = (operation, { DeliveryStreamName }, arn) => {
  const action = `firehose:${operation}`;
  if (operation === 'ListDeliveryStreams') return [{ action, resource: '*' }];
  if (!firehoseOperations.includes(operation as FirehoseOperation)) return undefined;
  return [{ action, resource: arn('firehose', `deliverystream/${String(DeliveryStreamName ?? '')}`) }];
};
