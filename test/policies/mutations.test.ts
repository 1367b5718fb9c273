import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCompiledWorkspace, workspaceRoot } from './compiled-workspace.ts';
import { violations } from './rule.ts';
import { rules } from './rules/index.ts';

/** A change somebody might make, to one service: text of one file replaced. */
interface Mutation {
  title: string;
  service: string;
  file: 'serverless.yml' | 'serverless.outbox.yml';
  from: string;
  to: string;
  /** What is said of it, before anything is deployed: by the build or by a rule. */
  says: string;
}

/** Adds to, or replaces, what the plugin derives. https://github.com/oss-serverless/osls/blob/4.x/docs/guides/resources.md */
const extension = (resource: string, properties: string) =>
  `resources:\n  - extensions:\n      ${resource}:\n        Properties: ${properties}\n`;

const mutations: readonly Mutation[] = [
  {
    title: 'remove one dead-letter queue',
    service: 'fulfillment',
    file: 'serverless.outbox.yml',
    from: `      destinations:
        onFailure:
          type: sqs
          arn: !GetAtt RelayDeadLetterQueue.Arn
`,
    to: '',
    says:
      'services/fulfillment/serverless.yml: functions.relay: RelayEventSourceMappingDynamodbTable: ' +
      'DestinationConfig.OnFailure: no dead-letter queue of this template [dead-letter-queues: ',
  },
  {
    title: 'widen one policy',
    service: 'payments',
    file: 'serverless.yml',
    from: 'resources:\n',
    to: extension(
      'OnOrderCancelledQueuePolicy',
      '{ PolicyDocument: { Statement: [{ Sid: Everybody, Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: !GetAtt OnOrderCancelledQueue.Arn }] } }',
    ),
    says:
      'services/payments/serverless.yml: resources.OnOrderCancelledQueuePolicy: ' +
      'Everybody names no rule or topic of this template as aws:SourceArn, or allows it more than to send',
  },
  {
    title: 'drop one ReportBatchItemFailures',
    service: 'inventory',
    file: 'serverless.outbox.yml',
    from: '      functionResponseType: ReportBatchItemFailures\n',
    to: '',
    says:
      'services/inventory/serverless.yml: functions.relay: RelayEventSourceMappingDynamodbTable: ' +
      'FunctionResponseTypes has no ReportBatchItemFailures [partial-batches: ',
  },
  {
    title: 'set one timeout above its visibility',
    service: 'orders',
    file: 'serverless.yml',
    from: 'resources:\n',
    to: extension('OnOrderProgressQueue', '{ VisibilityTimeout: 9 }'),
    says:
      'services/orders/serverless.yml: resources.OnOrderProgressQueue: ' +
      'VisibilityTimeout is 9 s, and OnOrderProgressLambdaFunction with its Timeout of 10 s needs 60 s [visibility-timeouts: ',
  },
  {
    title: 'add a *',
    service: 'notifications',
    file: 'serverless.yml',
    from: "Action: ['dynamodb:UpdateItem'], Resource: !GetAtt Table.Arn",
    to: "Action: ['dynamodb:*'], Resource: !GetAtt Table.Arn",
    says:
      'services/notifications/serverless.yml: functions.onStockRanLow: OnStockRanLowRole: ' +
      'Policies[0].Statement[3]: Action "dynamodb:*" [no-wildcards: ',
  },
  {
    title: 'put an event of another service',
    service: 're-emitter',
    file: 'serverless.yml',
    from: 'functions:\n',
    to: `functions:
  forge:
    handler: src/handlers/reemit.handler
    iamRoleStatements:
      - { Effect: Allow, Action: ['events:PutEvents'], Resource: '\${self:custom.consumers.eventBusArn}' }
`,
    says:
      'services/re-emitter/serverless.yml: functions.forge: ForgeRole: ' +
      'Policies[0].Statement[1]: PutEvents with events:source [], not millrace.re-emitter alone [own-events: ',
  },
  {
    title: 'leave a route open',
    service: 'inventory',
    file: 'serverless.yml',
    from: "      - httpApi: { method: GET, path: '/stock/{sku}', authorizer: { name: identity, scopes: ['stock:read'] } }",
    to: '      - httpApi: GET /stock/{sku}',
    says:
      'services/inventory/serverless.yml: HttpApiRouteGetStockSkuVar: ' +
      'GET /stock/{sku}: AuthorizationType is undefined, not JWT [route-authorizers: ',
  },
  {
    title: 'forget an alarm',
    service: 'event-bus',
    file: 'serverless.yml',
    from: '        MetricName: ApproximateNumberOfMessagesVisible\n',
    to: '        MetricName: NumberOfMessagesSent\n',
    says:
      'services/event-bus/serverless.yml: resources.AlarmEmailDeadLetterQueue: ' +
      'no alarm goes off with its first message [dead-letter-alarms: ',
  },
];

/** These do not even compile, so they stand in a workspace of their own. */
const refused: readonly Mutation[] = [
  {
    title: 'rename one consumed event',
    service: 'inventory',
    file: 'serverless.yml',
    from: 'events: [OrderPlaced.v1]',
    to: 'events: [OrderPlacd.v1]',
    says:
      'services/inventory/serverless.yml: functions.onOrderPlaced.events[0].consume.events[0]: ' +
      'no contract defines OrderPlacd.v1. Did you mean OrderPlaced.v1?',
  },
  {
    title: 'set one timeout so high that its attempts outlive the message',
    service: 'fulfillment',
    file: 'serverless.yml',
    from: 'handler: src/handlers/on-payment-processed.handler\n    events:\n      - consume: { events: [PaymentProcessed.v1],',
    to: 'handler: src/handlers/on-payment-processed.handler\n    timeout: 900\n    events:\n      - consume: { events: [PaymentProcessed.v1], maxReceiveCount: 100,',
    says: 'services/fulfillment/serverless.yml: functions.onPaymentProcessed.events[0].consume.maxReceiveCount: 100 receives',
  },
  {
    title: "emit another service's event",
    service: 'payments',
    file: 'serverless.yml',
    from: 'emits: [PaymentProcessed.v1,',
    to: 'emits: [OrderPlaced.v1, PaymentProcessed.v1,',
    says: 'services/payments/serverless.yml: functions.relay.emits[0]: OrderPlaced.v1 belongs to orders: payments may not emit it',
  },
];

const copies: string[] = [];

/** A workspace of links to this one, in which each mutated service has files of its own. */
function copyWith(changes: readonly Mutation[]): string {
  const root = mkdtempSync(join(tmpdir(), 'millrace-mutations-'));
  copies.push(root);
  for (const { name } of readdirSync(workspaceRoot, { withFileTypes: true })) {
    if (name === 'services' || name === '.git' || name === '.millrace') continue;
    if (name.startsWith('serverless.')) cpSync(join(workspaceRoot, name), join(root, name));
    else symlinkSync(join(workspaceRoot, name), join(root, name));
  }
  for (const service of readdirSync(join(workspaceRoot, 'services'))) {
    const folder = join(root, 'services', service);
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(join(workspaceRoot, 'services', service))) {
      if (name === '.serverless') continue;
      const original = join(workspaceRoot, 'services', service, name);
      if (name === 'serverless.yml') cpSync(original, join(folder, name));
      else symlinkSync(original, join(folder, name));
    }
  }
  for (const mutation of changes) mutate(root, mutation);
  return root;
}

function mutate(root: string, { title, service, file, from, to }: Mutation): void {
  const own = join(root, 'services', service, 'serverless.yml');
  const changed = file === 'serverless.yml' ? own : join(root, 'services', service, file);
  if (changed !== own) {
    // The fragment is everybody's: this service takes a copy, so that the others stay as they are.
    cpSync(join(workspaceRoot, file), changed);
    writeFileSync(own, readFileSync(own, 'utf8').replaceAll(`../../${file}`, file));
  }
  const text = readFileSync(changed, 'utf8');
  if (!text.includes(from)) throw new Error(`"${title}" has nothing to change: ${file} of ${service} has no ${from}`);
  writeFileSync(changed, text.replace(from, to));
}

const directoriesOf = (root: string, changes: readonly Mutation[]) =>
  changes.map(({ service }) => join(root, 'services', service));

afterAll(() => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
});

describe('what somebody might do to a service is caught with file and key:', () => {
  let found: string[];
  let errors: string[];

  beforeAll(async () => {
    const root = copyWith(mutations);
    found = violations(rules, await readCompiledWorkspace('prod', { root }));

    const other = copyWith(refused);
    const options = { root: other, directories: directoriesOf(other, refused) };
    errors = await readCompiledWorkspace('prod', options).then(
      () => [],
      (error: unknown) => (error instanceof Error ? error.message.split('\n') : []),
    );
  });

  test.each(mutations.map(({ title, says }) => [title, says] as const))('%s', (_, says) => {
    expect(found).toContainEqual(expect.stringContaining(says));
  });

  test('and nothing else is found than what follows from it', () => {
    const expected = mutations.map(({ says }) => says);
    const others = found.filter((line) => !expected.some((says) => line.startsWith(says)));
    const places = others.map((line) =>
      /^services\/([a-z-]+)\/.*?: (?:resources\.|functions\.\w+: )(\w+): /.exec(line)?.slice(1).join('.'),
    );
    expect([...new Set(places)].sort()).toEqual([
      // The mapping's property is looked at by its own rule and by its type's shape; the role may no longer send.
      'fulfillment.RelayEventSourceMappingDynamodbTable',
      'fulfillment.RelayLambdaFunction',
      'fulfillment.RelayRole',
      'inventory.RelayEventSourceMappingDynamodbTable',
      // Five functions share the statement.
      'notifications.NotifyCancellationForCheckoutRole',
      'notifications.OnCheckoutApprovalRequestedRole',
      'notifications.OnOrderOutcomeRole',
      'notifications.OnStockRanLowRole',
      'notifications.SendConfirmationForCheckoutRole',
      // The policy has lost its other statements.
      'payments.OnOrderCancelledQueue',
      'payments.OnOrderCancelledQueuePolicy',
      'payments.OnOrderCancelledRule',
      // The new function has no variables, and may put any detail-type.
      're-emitter.ForgeLambdaFunction',
      're-emitter.ForgeRole',
    ]);
  });

  test.each(refused.map(({ title, says }) => [title, says] as const))('the build refuses to %s', (_, says) => {
    expect(errors).toContainEqual(expect.stringContaining(says));
  });
});
