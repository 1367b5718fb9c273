import { type Clock, SystemClock } from '../../core/clock.ts';
import type { Deliver } from '../../core/delivery.ts';
import type { CapturedMessage } from '../../core/messages.ts';
import { outgoingHttp } from '../../core/outgoing-http.ts';
import type { SnsCaller, SnsContext, SnsOperation, SnsOutput } from './context.ts';
import { Deliverer } from './delivery/deliverer.ts';
import { MessageSigner } from './delivery/signer.ts';
import { notImplemented, snsError } from './errors.ts';
import { checkInput } from './input.ts';
import { permissionOperations } from './operations/permission-operations.ts';
import { publishOperations } from './operations/publish-operations.ts';
import { smsOperations } from './operations/sms-operations.ts';
import { subscriptionOperations } from './operations/subscription-operations.ts';
import { tagOperations } from './operations/tag-operations.ts';
import { topicOperations } from './operations/topic-operations.ts';
import { SnsStore } from './store/sns-store.ts';

export interface SnsOptions {
  region: string;
  accountId: string;
  /** Of the URLs in messages: `http://127.0.0.1:4566`. */
  origin: string;
  /** For SNS alone; in memory without one. */
  dataDirectory?: string | undefined;
  clock: Clock;
  deliver: Deliver;
  /** Keeps e-mails and text messages, which do not leave this machine. */
  capture: (message: Omit<CapturedMessage, 'id' | 'sentAt'>) => void;
  /** Told of messages that are given up. */
  warn: (message: string) => void;
}

/** SNS without HTTP. */
export interface Sns extends AsyncDisposable {
  readonly accountId: string;
  readonly store: SnsStore;
  /** Makes the deliveries, also those that an earlier process has left. */
  activate: () => void;
  /** Stops it. What has not been delivered is delivered after the next start. */
  deactivate: () => Promise<void>;
  /** The policy that a topic has been given, as JSON; undefined for one that has the default policy. */
  policyOf: (topicArn: string) => string | undefined;
  /** What `SigningCertURL` leads to. */
  readonly certificate: { path: string; pem: string };
  /**
   * Calls an operation.
   *
   * @param operation as in the API reference
   * @throws AwsError with the code that SNS has for it in the query protocol
   * @example sns.call('Publish', { TopicArn, Message: 'Hello' });
   */
  call: (operation: string, input: Readonly<Record<string, unknown>>, caller?: SnsCaller) => SnsOutput;
}

/** Operations that SNS has and that are not here. */
const others = new Set([
  ...['CreatePlatformApplication', 'CreatePlatformEndpoint', 'CreateSMSSandboxPhoneNumber', 'DeleteEndpoint'],
  ...['DeletePlatformApplication', 'DeleteSMSSandboxPhoneNumber', 'GetDataProtectionPolicy', 'GetEndpointAttributes'],
  ...['GetPlatformApplicationAttributes', 'ListEndpointsByPlatformApplication', 'ListOriginationNumbers'],
  ...['ListPlatformApplications', 'ListSMSSandboxPhoneNumbers', 'OptInPhoneNumber', 'PutDataProtectionPolicy'],
  ...['SetEndpointAttributes', 'SetPlatformApplicationAttributes', 'VerifySMSSandboxPhoneNumber'],
]);

/**
 * Starts SNS.
 *
 * A message that Publish has answered is delivered: with a data directory even after this process has ended, however it ends.
 *
 * @example
 * await using sns = startSns({ region: 'eu-central-1', accountId: '000000000000', origin, clock, deliver, capture, warn });
 * sns.activate();
 */
export function startSns(options: SnsOptions): Sns {
  const { region, accountId, origin, clock, deliver, capture, warn } = options;
  const store = new SnsStore(options.dataDirectory);
  const signer = new MessageSigner({ store, origin, now: () => clock.now() });
  // Answers take real time, also where a test or an operator moves the clock.
  const send = outgoingHttp({ clock: new SystemClock() });
  const deliverer = new Deliverer({ store, clock, origin, signer, deliver, send, capture, warn });
  const context: SnsContext = { store, clock, region, accountId, deliverer, capture };
  const operations: Readonly<Record<string, SnsOperation>> = {
    ...topicOperations(context),
    ...subscriptionOperations(context),
    ...publishOperations(context),
    ...tagOperations(context),
    ...permissionOperations(context),
    ...smsOperations(context),
  };
  return {
    accountId,
    store,
    policyOf: (topicArn) => store.topic(topicArn)?.attributes.Policy,
    get certificate() {
      return { path: signer.certificatePath, pem: signer.certificate };
    },
    call: (operation, input, caller = {}) => {
      if (Object.hasOwn(operations, operation)) {
        return (operations[operation] as SnsOperation)(checkInput(operation, input) as never, caller);
      }
      if (others.has(operation)) throw notImplemented(operation);
      throw snsError('InvalidAction', `The action ${operation.slice(0, 100)} is not valid for this endpoint.`);
    },
    activate: () => deliverer.start(),
    deactivate: () => deliverer[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: async () => {
      await deliverer[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    },
  };
}
