import type { Rule } from '../rule.ts';
import { allStatements, entries, list } from '../template.ts';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege */
export const noWildcards: Rule = {
  name: 'no-wildcards',
  why: 'a * or ? allows what nobody thought of',
  exceptions: [
    {
      resource: /Role$/,
      problem: /Resource .*:log-group:\/aws\/lambda\/[^*]+:\*"\}$/,
      reason: 'Lambda makes up the names of the streams in the one log group',
    },
    {
      service: 'analytics',
      resource: /^(Lake|Views)StreamRole$/,
      problem: /Resource .*"\$\{Lake\.Arn\}\/(events|views|errors)\/\*"\}$/,
      reason: 'each object has a name of its own; the rule lake looks at the rest',
    },
    {
      service: 'orders',
      resource: /^SetTimeLimitRole$/,
      problem: /Resource .*:schedule\/[^*]+\/\*"\}$/,
      reason: 'the schedules of one group, each with the id of an order',
    },
    {
      service: 'reservations',
      resource: /^SetTimerRole$/,
      problem: /Resource .*:schedule\/[^*]+\/\*"\}$/,
      reason: 'the schedules of one group, each with the id of a reservation',
    },
    {
      service: 'notifications',
      resource: /^(OnOrderOutcome|SendConfirmationForCheckout|NotifyCancellationForCheckout)Role$/,
      problem: /Resource "\*"$/,
      reason: 'a phone number has no ARN; the next statement denies every topic',
    },
    {
      service: 'notifications',
      resource:
        /^(On(OrderOutcome|StockRanLow|CheckoutApprovalRequested)|SendConfirmationForCheckout|NotifyCancellationForCheckout)Role$/,
      problem: /Resource .*:identity\/\*"\}$/,
      reason: "SES in its sandbox asks for the recipient's identity, too; a condition fixes the sender",
    },
    {
      service: 'checkout',
      resource: /^GetCheckoutRole$/,
      problem: /Resource .*:execution:\$\{StateMachine\.Name\}:\*"\}$/,
      reason: 'each execution has an ARN of its own',
    },
    {
      service: 'checkout',
      resource: /^(DurableCheckout|GetCheckout|PostApproval)Role$/,
      problem: /Resource .*:function:[^*]+:\*\/durable-execution\/\*\/\*"\}$/,
      reason: 'each execution has an ARN of its own, with the version that it began with',
    },
    {
      service: 'checkout',
      resource: /^PostApprovalRole$/,
      problem: /Resource "\*"$/,
      reason: 'tokens of tasks have no ARN; only whoever has one may answer it',
    },
    {
      service: 're-emitter',
      resource: /^ReemitRole$/,
      problem: /Resource .*:sqs:[^*]*:millrace-\*-[a-z0-9]+-\*dlq(\.fifo)?"\}$/,
      reason: 'dead-letter queues of every service, which are known by their names',
    },
    {
      service: 'event-bus',
      resource: /^(AlarmTopic|Data|Pseudonym)Key$/,
      problem: /Resource "\*"$/,
      reason: "in a key's policy it means this key",
    },
    {
      service: 'event-bus',
      resource: /^(AlarmTopic|Data|Pseudonym)Key$/,
      problem: /Statement\[0\]: Action "kms:\*"$/,
      reason: 'a key that its account could not administer would be lost',
    },
    {
      service: 'event-bus',
      resource: /^(AlarmTopic|Data)Key$/,
      problem: /Action "kms:(GenerateDataKey|ReEncrypt)\*"$/,
      reason: 'with and without plaintext, from it and to it, as CloudWatch and EventBridge ask for',
    },
  ],
  check(service) {
    return entries(service).flatMap((entry) =>
      allStatements(entry)
        .filter(({ statement }) => statement.Effect === 'Allow')
        .flatMap(({ place, statement }) => {
          const wide = (key: 'Action' | 'Resource') =>
            list(statement[key])
              .map((value) => JSON.stringify(value))
              .filter((value) => /[*?]/.test(value))
              .map((value) => ({ resource: entry.id, problem: `${place}: ${key} ${value}` }));
          const inverted = (['NotAction', 'NotResource'] as const)
            .filter((key) => statement[key] !== undefined)
            .map((key) => ({ resource: entry.id, problem: `${place}: ${key} allows everything else` }));
          return [...wide('Action'), ...wide('Resource'), ...inverted];
        }),
    );
  },
};
