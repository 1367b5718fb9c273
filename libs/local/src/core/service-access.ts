import type { Access } from '@millrace/iam-policy';
import { dynamoDbAccess } from '../services/dynamodb/access.ts';
import { eventsAccess } from '../services/events/access.ts';
import { s3Access } from '../services/fauxqs/s3-access.ts';
import { snsAccess } from '../services/fauxqs/sns-access.ts';
import { sqsAccess } from '../services/fauxqs/sqs-access.ts';
import { lambdaAccess } from '../services/lambda/access.ts';
import { sesAccess } from '../services/ses/access.ts';
import { ssmAccess } from '../services/ssm/access.ts';

/** The parameters of a request: of a JSON protocol its document, of the query protocol its parameters. */
export type Input = Readonly<Record<string, unknown>>;

/** Makes ARNs of this account and region: `arn('sqs', 'orders')`. */
export type ArnOf = (service: string, resource: string) => string;

/**
 * What an operation of a service needs permission for, by its name; with a REST API `<method> <path>`.
 * @returns undefined where it is not known what the operation needs
 */
export type AccessOf = (operation: string, input: Input, arn: ArnOf) => readonly Access[] | undefined;

export type Service = 'cloudformation' | 'dynamodb' | 'events' | 'lambda' | 's3' | 'ses' | 'sns' | 'sqs' | 'ssm';

/**
 * What requests need permission for.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export const accessOf: Readonly<Record<Service, AccessOf>> = {
  // For deployments only: no function has anything to ask there.
  cloudformation: () => undefined,
  dynamodb: dynamoDbAccess,
  events: eventsAccess,
  lambda: lambdaAccess,
  s3: s3Access,
  ses: sesAccess,
  sns: snsAccess,
  sqs: sqsAccess,
  ssm: ssmAccess,
};
