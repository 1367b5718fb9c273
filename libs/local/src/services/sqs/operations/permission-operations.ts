import { parseQueuePolicy, type QueuePolicy } from '../attributes/queue-policy.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidParameter, missingParameter, sqsError } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import type { InputOf } from '../protocol/inputs.ts';
import type { QueueDirectory } from '../queue-directory.ts';

/**
 * The actions that can be permitted to another account.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
 */
const ACTIONS = new Set([
  ...['*', 'SendMessage', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'],
  ...['GetQueueUrl', 'ListDeadLetterSourceQueues', 'PurgeQueue'],
]);
const LABEL = /^[A-Za-z0-9_-]{1,80}$/;

/** The operations that write a queue's policy statement by statement. */
export function permissionOperations(directory: QueueDirectory) {
  return {
    AddPermission({ QueueUrl, Label, AWSAccountIds, Actions }: InputOf<'AddPermission'>) {
      const queue = directory.find(QueueUrl);
      if (AWSAccountIds.length === 0) throw missingParameter('AWSAccountIds');
      if (Actions.length === 0) throw missingParameter('Actions');
      if (!LABEL.test(Label)) {
        throw invalidParameter(
          'Label',
          Label,
          'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.',
        );
      }
      if (Actions.length > sqsLimits.permissionActions) {
        throw sqsError(
          'OverLimit',
          `${Actions.length} Actions were found, maximum allowed is ${sqsLimits.permissionActions}.`,
        );
      }
      for (const action of Actions) {
        if (!ACTIONS.has(action))
          throw invalidParameter(
            'ActionName',
            action,
            'Please refer to the appropriate WSDL for a list of valid actions.',
          );
      }
      for (const account of AWSAccountIds) {
        if (!/^\d{12}$/.test(account)) throw invalidParameter('PrincipalId', account, 'Unable to verify.');
      }
      const policy = policyOf(queue);
      if (policy.Statement.some(({ Sid }) => Sid === Label)) throw invalidParameter('Label', Label, 'Already exists.');
      if (policy.Statement.length >= sqsLimits.policyStatements) {
        throw sqsError('OverLimit', `A policy can have at most ${sqsLimits.policyStatements} statements.`);
      }
      const statement = {
        Sid: Label,
        Effect: 'Allow',
        Principal: { AWS: oneOrMany(AWSAccountIds.map((account) => `arn:aws:iam::${account}:root`)) },
        Action: oneOrMany(Actions.map((action) => `SQS:${action}`)),
        Resource: queue.arn,
      };
      queue.setAttributes({ Policy: JSON.stringify({ ...policy, Statement: [...policy.Statement, statement] }) });
      return {};
    },

    RemovePermission({ QueueUrl, Label }: InputOf<'RemovePermission'>) {
      const queue = directory.find(QueueUrl);
      const policy = policyOf(queue);
      const Statement = policy.Statement.filter(({ Sid }) => Sid !== Label);
      if (Statement.length === policy.Statement.length) {
        throw invalidParameter('Label', Label, "can't find label on existing policy.");
      }
      queue.setAttributes({ Policy: Statement.length === 0 ? '' : JSON.stringify({ ...policy, Statement }) });
      return {};
    },
  };
}

function policyOf({ arn, attributes: { Policy } }: Queue): QueuePolicy {
  return Policy ? parseQueuePolicy(Policy) : { Version: '2012-10-17', Id: `${arn}/SQSDefaultPolicy`, Statement: [] };
}

function oneOrMany(values: string[]): string | string[] {
  const [only] = values;
  return only !== undefined && values.length === 1 ? only : values;
}
