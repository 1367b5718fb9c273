import { randomUUID } from 'node:crypto';
import type { Caller, Policy } from '@millrace/iam-policy';
import { AwsError } from '../../core/aws-error.ts';
import { type DeliverOptions, DeliveryError, type Sender } from '../../core/delivery.ts';
import { type BusEvent, createBusEvent, EnvelopeError, readEnvelope } from './bus-event.ts';
import { authorizeEntry, type OnRefusal } from './put-events-authorization.ts';

/** The service of rules. */
export const eventsPrincipal = 'events.amazonaws.com';

/** Who may deliver to a bus. */
export interface ReceivingBus {
  readonly arn: string;
  readonly isDefault: boolean;
  readonly policy: Policy | undefined;
}

export interface ReceivingOptions {
  accountId: string;
  region: string;
  now: () => number;
  /** Who a sender with a role is. @throws DeliveryError */
  callerOfSender: (sender: Sender) => Caller;
  onRefusal: OnRefusal | undefined;
}

/**
 * Reads an event that something other than PutEvents delivers to a bus, and decides whether the bus takes it:
 *
 * - a rule of another bus sends its event as it is, with its id, account and Region. Its role, and the policy of this bus, must let
 *   it. Without a role the account itself sends, which any bus of the account takes unless its policy denies it.
 * - a service of AWS reports on itself, without a role: with a source that begins with `aws.`, on the default bus.
 * - whatever else has a role, such as a schedule, is held to what PutEvents takes.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html
 *
 * @param payload the event as JSON. `id`, `account`, `region`, `time` and `resources` may be left out.
 * @throws DeliveryError
 */
export function receivedEvent(
  bus: ReceivingBus,
  payload: string,
  { sender, traceHeader }: DeliverOptions,
  options: ReceivingOptions,
): BusEvent {
  const { accountId, region, now } = options;
  const ingestedAt = now();
  const defaults = { id: randomUUID(), account: accountId, region, time: ingestedAt };
  const isForwarded = 'service' in sender && sender.service === eventsPrincipal;
  const content = { ...readPayload(payload, defaults), ingestedAt, isForwarded, traceHeader };
  const isFromAws = content.source.startsWith('aws.');
  if ('service' in sender && sender.roleArn === undefined && !isForwarded) {
    if (!bus.isDefault) throw refused('NO_PERMISSIONS', `${sender.service} sends its events to the default bus alone`);
    if (!isFromAws) throw refused('INVALID_PARAMETER', `The source ${content.source} does not begin with aws.`);
    return createBusEvent(content);
  }
  if (isFromAws && !isForwarded) throw refused('NO_PERMISSIONS', 'Not authorized for the source.');
  const caller = isRole(sender) ? options.callerOfSender(sender) : accountItself(accountId);
  authorize(caller, content, bus, options.onRefusal, isForwarded);
  return createBusEvent(content);
}

function readPayload(payload: string, defaults: Parameters<typeof readEnvelope>[1]): ReturnType<typeof readEnvelope> {
  try {
    return readEnvelope(payload, defaults);
  } catch (error) {
    if (error instanceof EnvelopeError || error instanceof SyntaxError) throw refused('INVALID_JSON', error.message);
    throw error;
  }
}

function authorize(
  caller: Caller,
  entry: { source: string; detailType: string },
  bus: ReceivingBus,
  onRefusal: OnRefusal | undefined,
  isFromBus: boolean,
): void {
  try {
    const error = authorizeEntry(caller, entry, bus.arn, bus.policy, onRefusal, isFromBus);
    if (error) throw refused('NO_PERMISSIONS', error.ErrorMessage);
  } catch (error) {
    if (error instanceof AwsError) throw refused('NO_PERMISSIONS', error.message);
    throw error;
  }
}

function isRole(sender: Sender): boolean {
  return 'functionName' in sender || sender.roleArn !== undefined;
}

/** The account as its own caller. */
function accountItself(accountId: string): Caller {
  const arn = `arn:aws:iam::${accountId}:root`;
  return { arn, principalArn: arn, accountId, identityPolicies: undefined };
}

function refused(code: string, message: string): DeliveryError {
  return new DeliveryError(code, message, false);
}
