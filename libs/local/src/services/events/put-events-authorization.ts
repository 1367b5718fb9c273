import { type Access, type Caller, findRefusal, type Policy, type Refusal } from '@millrace/iam-policy';
import { AwsError } from '../../core/aws-error.ts';
import type { AcceptedEntry, EntryError } from './put-events-entry.ts';

/** Is told of every entry that is refused. */
export type OnRefusal = (caller: Caller, access: Access, refusal: Refusal) => void;

/**
 * Whether a caller may put one event on a bus. Source and detail-type are condition keys of the request, so each entry is
 * decided upon by itself.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
 * @param isFromBus a rule of another bus sends the event
 * @returns why the entry is refused, when that is for its source or its detail-type; undefined when it is accepted
 * @throws AwsError AccessDeniedException where the caller may not put events on this bus at all: the whole call fails
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
export function authorizeEntry(
  caller: Caller,
  { source, detailType }: Pick<AcceptedEntry, 'source' | 'detailType'>,
  busArn: string,
  busPolicy: Policy | undefined,
  onRefusal: OnRefusal = () => {},
  isFromBus = false,
): EntryError | undefined {
  const access: Access = {
    action: 'events:PutEvents',
    resource: busArn,
    context: new Map([
      ['events:source', [source]],
      ['events:detail-type', [detailType]],
      ['events:eventbusinvocation', [String(isFromBus)]],
    ]),
  };
  const refusal = findRefusal(caller, access, busPolicy ? [busPolicy] : []);
  if (!refusal) return undefined;
  onRefusal(caller, access, refusal);
  if (hangsOn(refusal, 'events:source')) return notAuthorizedForSource;
  if (hangsOn(refusal, 'events:detail-type')) {
    return {
      ErrorCode: 'NotAuthorizedForDetailTypeException',
      ErrorMessage: 'Not authorized for the detail type.',
    };
  }
  throw new AwsError('AccessDeniedException', refusal.message);
}

export const notAuthorizedForSource: EntryError = {
  ErrorCode: 'NotAuthorizedForSourceException',
  ErrorMessage: 'Not authorized for the source.',
};

/** Whether another value of the key would have changed the answer. */
function hangsOn({ explicit, conditionKeys }: Refusal, key: string): boolean {
  if (!conditionKeys.includes(key)) return false;
  return explicit || conditionKeys.every((other) => other === 'events:source' || other === 'events:detail-type');
}
