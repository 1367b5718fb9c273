import { join } from 'node:path';
import { AwsError } from '../../core/aws-error.ts';
import { HttpAnswer } from '../../core/http-message.ts';
import type { AwsService, Call } from '../../core/service.ts';
import { snsAccess } from './access.ts';
import { type Sns, startSns } from './api.ts';
import { summarizeTopics } from './console.ts';
import { snsDifferences } from './differences.ts';
import { GET_CERTIFICATE, isLink, snsProtocol } from './protocol.ts';
import { snsResourceTypes } from './resource-types.ts';
import { snsMeters, snsUsage } from './usage.ts';

/** SNS: topics that deliver to queues, functions and HTTP endpoints of this machine; e-mails and SMS are captured. */
export const sns: AwsService<Sns> = {
  name: 'sns',
  differences: snsDifferences,
  protocols: [snsProtocol],
  takesUnsigned: ({ method, url }) => isLink(method, url),
  resourceTypes: snsResourceTypes,
  // The certificate is public.
  access: (operation, input, arn) => (operation === GET_CERTIFICATE ? [] : snsAccess(operation, input, arn)),
  refusal: { code: 'AuthorizationError', status: 403 },
  deliveryAction: 'sns:Publish',
  meters: snsMeters,
  async start(host) {
    const { region, accountId, clock, deliver, warn, dataDirectory, messages } = host;
    const engine = startSns({
      ...{ region, accountId, clock, deliver, warn, origin: host.awsUrl },
      dataDirectory: dataDirectory === undefined ? undefined : join(dataDirectory, 'sns'),
      capture: (message) => void messages.capture(message),
    });
    void host.whenActive.then(() => engine.activate());
    return {
      handle: engine,
      api: (call) => answer(engine, call),
      deliver: async (TopicArn, Message, options) => {
        engine.call('Publish', {
          TopicArn,
          Message,
          Subject: options.subject,
          MessageAttributes: options.messageAttributes,
          MessageGroupId: options.messageGroupId,
          MessageDeduplicationId: options.messageDeduplicationId,
        });
      },
      isThere: (topicArn) => engine.store.topic(topicArn) !== undefined,
      meter: (usage, { functionName, operation, input }) => {
        const [meter, amount] = snsUsage(operation, input);
        usage.add(meter, functionName, amount);
      },
      deactivate: engine.deactivate,
      policyOf: engine.policyOf,
      console: () => ({ topics: summarizeTopics(engine.store) }),
      [Symbol.asyncDispose]: engine[Symbol.asyncDispose],
    };
  },
};

function answer(engine: Sns, { operation, input, caller, accessKeyId }: Call): unknown {
  if (operation === GET_CERTIFICATE) {
    const { path, pem } = engine.certificate;
    if (input.Path !== path) throw new AwsError('NotFound', 'There is no such certificate', 404);
    return new HttpAnswer(200, { 'content-type': 'application/x-pem-file' }, pem);
  }
  const { accountId, principalArn } = caller;
  return engine.call(operation, input, accessKeyId === undefined ? {} : { accountId, principalArn });
}
