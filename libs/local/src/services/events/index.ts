import { DeliveryError, textAttribute } from '../../core/delivery.ts';
import { outgoingHttp } from '../../core/outgoing-http.ts';
import type { AwsService } from '../../core/service.ts';
import { eventsAccess } from './access.ts';
import { eventsDifferences } from './differences.ts';
import { EventBridge } from './event-bridge.ts';
import { eventsPrincipal } from './received-event.ts';
import { eventsResourceTypes } from './resource-types.ts';
import { isApiDestination } from './rule-target.ts';
import { countPutEvents } from './usage.ts';

/** EventBridge: buses, rules, archives and replays, connections and API destinations. */
export const events: AwsService<EventBridge> = {
  name: 'events',
  differences: eventsDifferences,
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
      deliver: (target, payload, { ruleArn, traceHeader, deadline }) => {
        usage?.add('events.delivered', ruleArn.slice(ruleArn.lastIndexOf('/') + 1), 1);
        const messageGroupId = target.SqsParameters?.MessageGroupId;
        const partitionKey = target.KinesisParameters?.PartitionKeyPath;
        const sender = { ...senderOf(ruleArn), roleArn: target.RoleArn };
        const httpParameters = target.HttpParameters;
        return deliver(target.Arn, payload, {
          ...{ sender, messageGroupId, partitionKey, traceHeader, httpParameters, deadline },
        });
      },
      sendToDeadLetterQueue: (queueArn, body, attributes, { ruleArn, traceHeader }) => {
        const entries = Object.entries(attributes).map(([name, text]) => [name, textAttribute(text)] as const);
        const messageAttributes = Object.fromEntries(entries);
        return deliver(queueArn, body, { sender: senderOf(ruleArn), messageAttributes, traceHeader });
      },
      send: outgoingHttp({ clock: host.clock, allowedHosts: host.options.allowedHosts }),
      callerOfSender: (sender) => authorizer.callerOfSender(sender),
      onRefusal: (caller, access, refusal) => authorizer.report(caller, access, refusal),
      onArchived: usage && ((archive, text) => usage.add('events.archivedBytes', archive, Buffer.byteLength(text))),
      dataDirectory,
    });
    eventBridge.restoreBuses();
    return {
      handle: eventBridge,
      api: ({ operation, input, caller }) => eventBridge.handle(operation, input, caller),
      deliver: async (arn, payload, options) => {
        // A bus itself asks for the sender's permission: its policy may name what only the event tells.
        if (!isApiDestination(arn)) return eventBridge.receive(arn, payload, options);
        const access = { action: 'events:InvokeApiDestination', resource: arn };
        const refusal = authorizer.findSenderRefusal(options.sender, access);
        if (refusal) throw new DeliveryError('NO_PERMISSIONS', refusal.message, false);
        await eventBridge.invoke(arn, payload, options);
      },
      activate: () => eventBridge.restore(),
      isThere: (arn) => eventBridge.isThere(arn),
      meter: (counted, { functionName, operation, input, output }) => {
        if (operation === 'PutEvents') countPutEvents(counted, functionName, input, output);
      },
      [Symbol.asyncDispose]: () => eventBridge.close(),
    };
  },
};
