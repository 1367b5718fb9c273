import { join } from 'node:path';
import { textAttribute } from '../../core/delivery.ts';
import type { AwsService } from '../../core/service.ts';
import { eventsAccess } from './access.ts';
import { EventBridge } from './event-bridge.ts';
import { eventsPrincipal } from './received-event.ts';
import { eventsResourceTypes } from './resource-types.ts';
import { countPutEvents } from './usage.ts';

/** EventBridge: buses, rules, archives and replays. */
export const events: AwsService<EventBridge> = {
  name: 'events',
  protocols: ['json'],
  targets: ['AWSEvents'],
  resourceTypes: eventsResourceTypes,
  access: eventsAccess,
  meters: {
    'events.putCalls': 'calls of PutEvents [function that puts]',
    'events.published': 'events, each 64 KB is one [function that puts]',
    'events.delivered': 'attempts to deliver an event [rule]',
    'events.archivedBytes': 'what archives took [archive]',
  },
  async start(host) {
    const { accountId, region, usage, dataDirectory, deliver, authorizer } = host;
    const senderOf = (sourceArn: string) => ({ service: eventsPrincipal, sourceArn });
    const eventBridge = new EventBridge({
      accountId,
      region,
      clock: host.clock,
      onWarning: host.warn,
      deliver: (target, payload, { ruleArn, traceHeader }) => {
        usage?.add('events.delivered', ruleArn.slice(ruleArn.lastIndexOf('/') + 1), 1);
        const messageGroupId = target.SqsParameters?.MessageGroupId;
        const sender = { ...senderOf(ruleArn), roleArn: target.RoleArn };
        return deliver(target.Arn, payload, { sender, messageGroupId, traceHeader });
      },
      sendToDeadLetterQueue: (queueArn, body, attributes, { ruleArn, traceHeader }) => {
        const entries = Object.entries(attributes).map(([name, text]) => [name, textAttribute(text)] as const);
        const messageAttributes = Object.fromEntries(entries);
        return deliver(queueArn, body, { sender: senderOf(ruleArn), messageAttributes, traceHeader });
      },
      callerOfSender: (sender) => authorizer.callerOfSender(sender),
      onRefusal: (caller, access, refusal) => authorizer.report(caller, access, refusal),
      onArchived: usage && ((archive, text) => usage.add('events.archivedBytes', archive, Buffer.byteLength(text))),
      archivePath: dataDirectory === undefined ? undefined : join(dataDirectory, 'archives.db'),
    });
    return {
      handle: eventBridge,
      api: ({ operation, input, caller }) => eventBridge.handle(operation, input, caller),
      // The bus itself asks for the sender's permission: its policy may name what only the event tells.
      deliver: (busArn, payload, options) => eventBridge.receive(busArn, payload, options),
      isThere: (arn) => eventBridge.isThere(arn),
      meter: (counted, { functionName, operation, input, output }) => {
        if (operation === 'PutEvents') countPutEvents(counted, functionName, input, output);
      },
      [Symbol.asyncDispose]: () => eventBridge.close(),
    };
  },
};
