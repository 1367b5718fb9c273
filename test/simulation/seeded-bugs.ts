import { marshall } from '@millrace/aws';
import { inlineDetail } from '@millrace/event-store';
import { LOCK_MARGIN_MS } from '@millrace/idempotency';
import type { Item } from '@millrace/local/dynamodb-engine';
import type { AttributeValue } from 'aws-lambda';
import type { AwsRequest } from './aws/network.ts';
import { type SimulatedEvent, storedEventOf } from './aws/stored-event.ts';
import { ANALYTICS_BUS } from './deployment.ts';
import type { Sabotage } from './sabotage.ts';

/** A break of the system, and what it stands for: the simulation is worth what it finds of these. */
export interface SeededBug {
  name: string;
  /** What somebody could have done wrong. */
  mistake: string;
  sabotage: Sabotage;
  /** Shows in an outage of the payment provider that lasts so long. */
  outageMinutes?: number;
}

type Write = {
  ConditionExpression?: string;
  UpdateExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
  Item?: Record<string, { S?: string; M?: Record<string, { S?: string }> }>;
  Key?: Record<string, { S?: string }>;
};
type Action = { Put?: Write; Update?: Write; Delete?: Write; ConditionCheck?: Write };

export const seededBugs: readonly SeededBug[] = [
  {
    name: 'mark-before-effect',
    mistake: 'The inbox mark is written first, in a transaction of its own.',
    sabotage: {
      request: writes((actions) => {
        const marks = actions.filter((action) => partitionOf(action).startsWith('INBOX#'));
        return marks.length > 0 ? [marks, actions.filter((action) => !marks.includes(action))] : [actions];
      }),
    },
  },
  {
    name: 'effect-without-mark',
    mistake: 'That a mail was sent is not put on record.',
    sabotage: {
      request: ({ service, operation, input }) =>
        isIdempotencyTable(input, 'notifications') && operation === 'UpdateItem'
          ? [{ service, operation: 'DescribeTable', input: { TableName: input.TableName } }]
          : undefined,
    },
  },
  {
    name: 'clock-based-in-progress-mark',
    mistake: 'Whether another delivery is still sending a mail is decided by comparing the clocks of two containers.',
    sabotage: {
      request: ({ service, operation, input }) => {
        const item = operation === 'PutItem' && isIdempotencyTable(input, 'notifications') ? input.Item : undefined;
        if (!item?.in_progress_expiration) return undefined;
        const in_progress_expiration = { N: String(Number(item.in_progress_expiration.N) - LOCK_MARGIN_MS) };
        return [{ service, operation, input: { ...input, Item: { ...item, in_progress_expiration } } }];
      },
    },
  },
  {
    name: 'publish-before-store',
    mistake: 'An event is emitted before it is stored.',
    sabotage: {
      request: ({ service, operation, input }, { name }) => {
        if (operation !== 'TransactWriteItems' || !name.startsWith('payments.')) return undefined;
        const Entries = (input.TransactItems as Action[]).flatMap(({ Put }) => {
          const outbox = Put?.Item?.outbox?.M;
          if (!outbox) return [];
          const Detail = inlineDetail({ M: outbox } as AttributeValue);
          return [{ Source: outbox.source?.S, DetailType: outbox.detailType?.S, Detail }];
        });
        if (Entries.length === 0) return undefined;
        return [
          { service: 'events', operation: 'PutEvents', input: { Entries } },
          { service, operation, input },
        ];
      },
    },
  },
  {
    name: 'acknowledge-before-effect',
    mistake: 'Messages are deleted before they are handled.',
    sabotage: { acknowledgesFirst: () => true },
  },
  {
    name: 'refund-forgotten',
    mistake: 'PaymentRefunded is told, and the provider was never asked.',
    sabotage: { forgetsRefunds: true },
  },
  {
    name: 'new-key-for-each-charge',
    mistake: 'Each attempt at a charge has an idempotency key of its own.',
    sabotage: { chargeKey: (key, { random }) => `${key} ${random.uuid()}` },
  },
  {
    name: 'stock-without-condition',
    mistake: 'Stock is taken without a look at how much there is by now.',
    sabotage: { request: withoutCondition((action) => partitionOf(action).startsWith('STOCK#')) },
  },
  {
    name: 'append-without-version',
    mistake: 'Events are appended to an order without a look at its version.',
    sabotage: { request: withoutCondition((action) => partitionOf(action).startsWith('ORDER#')) },
  },
  {
    name: 'refused-entries-ignored',
    mistake: 'PutEvents answered 200, so everything is taken to be accepted.',
    sabotage: {
      answer: ({ operation }, output) => {
        if (operation !== 'PutEvents') return output;
        const { Entries } = output as { Entries: { EventId?: string }[] };
        return { FailedEntryCount: 0, Entries: Entries.map(({ EventId = 'refused' }) => ({ EventId })) };
      },
    },
  },
  {
    name: 'refused-variants-ignored',
    mistake: 'The analytics bus answered 200, so all variants are taken to be accepted.',
    sabotage: {
      answer: ({ operation, input }, output) => {
        if (operation !== 'PutEvents' || input.Entries[0].EventBusName !== ANALYTICS_BUS) return output;
        const { Entries } = output as { Entries: { EventId?: string }[] };
        return { FailedEntryCount: 0, Entries: Entries.map(({ EventId = 'refused' }) => ({ EventId })) };
      },
    },
  },
  {
    name: 'relay-acknowledges-everything',
    mistake: 'The relay says that it has emitted what it could not emit.',
    sabotage: { ignoresStreamFailures: true },
  },
  {
    name: 'redrive-deletes-first',
    mistake: 'A dead letter is deleted before it is back in its queue.',
    sabotage: { deletesOnReceive: ({ name }) => name.startsWith('operator') },
  },
  {
    name: 'projection-counts-twice',
    mistake: 'A read model does not remember which events it has had.',
    sabotage: {
      request: (request, { name }) =>
        name.startsWith('orders.projectOrders')
          ? writes((actions) => [actions.filter((action) => !partitionOf(action).includes('#MARK#'))])(request)
          : undefined,
    },
  },
  {
    name: 'compensation-forgotten',
    mistake: 'Nobody tells inventory that an order was cancelled.',
    sabotage: { losesTarget: (detailType, queue) => detailType === 'OrderCancelled.v1' && queue.includes('inventory') },
  },
  {
    name: 'slot-kept',
    mistake: 'Reservations is not told that an order was cancelled, which keeps its slot.',
    sabotage: {
      losesTarget: (detailType, queue) => detailType === 'OrderCancelled.v1' && queue.includes('reservations'),
    },
  },
  {
    name: 'reason-left-out',
    mistake: 'A message goes to the dead-letter queue without the reason.',
    sabotage: {
      request: ({ service, operation, input }) => {
        if (!operation.startsWith('SendMessage') || !String(input.QueueUrl).endsWith('-dlq')) return undefined;
        const Entries = input.Entries?.map((entry: object) => ({ ...entry, MessageAttributes: undefined }));
        return [{ service, operation, input: { ...input, MessageAttributes: undefined, Entries } }];
      },
    },
  },
  {
    name: 'sweep-forgotten',
    mistake: 'Nothing looks for orders whose schedule was lost.',
    sabotage: { neverSweeps: true, losesSchedules: true },
  },
  {
    name: 'open-orders-without-rows',
    mistake: 'An order is placed without the row by which a sweep finds it.',
    sabotage: {
      losesSchedules: true,
      request: writes((actions) => [actions.filter((action) => !partitionOf(action).startsWith('OPEN-ORDERS#'))]),
    },
  },
  {
    name: 'time-limit-ignores-deadline',
    mistake: 'An order is given up whenever its schedule runs, and that is at once.',
    sabotage: {
      request: ({ service, operation, input }) =>
        operation === 'CreateSchedule'
          ? [{ service, operation, input: { ...input, ScheduleExpression: 'at(2026-03-02T12:00:00)' } }]
          : writes((actions) => [
              actions.map((action) => {
                const event = storedEventOf((action.Put?.Item ?? {}) as Item);
                return event.deadline ? withEvent(action, { ...event, deadline: '2026-03-02T12:00:00.000Z' }) : action;
              }),
            ])({ service, operation, input }),
    },
  },
  {
    name: 'payments-not-told',
    mistake: 'Payments is not told that an order was cancelled, and a late charge is kept.',
    sabotage: { losesTarget: (detailType, queue) => detailType === 'OrderCancelled.v1' && queue.includes('payments') },
  },
  {
    name: 'idempotency-key-ignored',
    mistake: 'The same POST /orders twice makes two orders.',
    sabotage: {
      event: (name, event) => {
        if (name !== 'orders.postOrder') return event;
        const { headers, ...rest } = event as { headers: Record<string, string> };
        const { 'idempotency-key': _, ...others } = headers;
        return { ...rest, headers: others };
      },
    },
  },
  {
    name: 'circuit-never-opens',
    mistake: 'That the circuit of the payment provider is open is not put on record.',
    outageMinutes: 3,
    sabotage: { request: withoutCircuit((status) => status === 'open') },
  },
  {
    name: 'probe-without-lease',
    mistake:
      'A container that finds the circuit open when a probe is due calls the provider, and does not claim the probe before.',
    outageMinutes: 10,
    sabotage: { request: withoutCircuit((status) => status === 'half-open') },
  },
  {
    name: 'circuit-never-closes',
    mistake: 'The circuit stays open although its probe has succeeded.',
    outageMinutes: 3,
    sabotage: {
      request: ({ service, operation, input }) =>
        statusOfCircuit(operation, input) === 'closed' &&
        input.Item?.circuit?.M?.window?.M?.current?.M?.failures?.N === '0'
          ? [{ service, operation: 'DescribeTable', input: { TableName: input.TableName } }]
          : undefined,
    },
  },
];

/** Does not store a circuit of some status, and says that it is stored. */
function withoutCircuit(concerns: (status: string) => boolean): NonNullable<Sabotage['request']> {
  return ({ service, operation, input }) =>
    concerns(statusOfCircuit(operation, input) ?? '')
      ? [{ service, operation: 'DescribeTable', input: { TableName: input.TableName } }]
      : undefined;
}

function statusOfCircuit(operation: string, { Item }: AwsRequest['input']): string | undefined {
  return operation === 'PutItem' && Item?.sk?.S === 'CIRCUIT' ? Item.circuit?.M?.status?.S : undefined;
}

/** Replaces the actions of a transaction, or a single one, by those of one or more that follow each other. */
function writes(change: (actions: Action[]) => Action[][]) {
  return ({ service, operation, input }: AwsRequest): AwsRequest[] | undefined => {
    const actions = actionsOf(operation, input);
    if (!actions) return undefined;
    const changed = change(actions);
    if (operation !== 'TransactWriteItems' && changed[0]?.[0] === actions[0]) return undefined;
    return changed
      .filter((each) => each.length > 0)
      .map((TransactItems) => ({ service, operation: 'TransactWriteItems', input: { TransactItems } }));
  };
}

/** The item of an event with another one in its place. */
function withEvent({ Put }: Action, event: SimulatedEvent): Action {
  const { packed: _, ...item } = Put?.Item ?? {};
  return { Put: { ...Put, Item: { ...item, ...marshall({ event }) } as NonNullable<Write['Item']> } };
}

function actionsOf(operation: string, input: AwsRequest['input']): Action[] | undefined {
  if (operation === 'TransactWriteItems') return input.TransactItems;
  const [, kind] = /^(Put|Update|Delete)Item$/.exec(operation) ?? [];
  return kind === undefined ? undefined : [{ [kind]: input }];
}

function withoutCondition(concerns: (action: Action) => boolean) {
  return writes((actions) => [
    actions.map((action) => {
      const [kind, write] = writeOf(action);
      return concerns(action) && write.ConditionExpression ? { [kind]: unconditional(write) } : action;
    }),
  ]);
}

/** The write without its condition, and without what only the condition referred to. */
function unconditional({
  ConditionExpression: _,
  ExpressionAttributeNames,
  ExpressionAttributeValues,
  ...write
}: Write): Write {
  const { UpdateExpression = '' } = write;
  const used = <Value>(all: Record<string, Value> = {}) =>
    Object.entries(all).filter(([name]) => new RegExp(`${name}\\b`).test(UpdateExpression));
  const [names, values] = [used(ExpressionAttributeNames), used(ExpressionAttributeValues)];
  return {
    ...write,
    ...(names.length > 0 && { ExpressionAttributeNames: Object.fromEntries(names) }),
    ...(values.length > 0 && { ExpressionAttributeValues: Object.fromEntries(values) }),
  };
}

function writeOf(action: Action): [kind: string, write: Write] {
  const [entry] = Object.entries(action);
  return entry ?? ['Put', {}];
}

function partitionOf(action: Action): string {
  const [, { Item, Key }] = writeOf(action);
  return (Item ?? Key)?.pk?.S ?? '';
}

function isIdempotencyTable({ TableName }: { TableName?: string }, service: string): boolean {
  return TableName === `millrace-${service}-dev-idempotency`;
}
