import { type AwsRequest, callAws } from './aws-call.ts';

/** One kind of resource, and how its service lists it. */
interface Kind {
  name: string;
  request: AwsRequest;
  /** Finds the names in the answer; its first group is the name. */
  pattern: RegExp;
}

const json = (service: string, target: string, input: unknown = {}): AwsRequest => ({ service, target, json: input });
const query = (service: string, Action: string, Version: string): AwsRequest => ({
  service,
  form: { Action, Version },
});

const KINDS: Kind[] = [
  { name: 'stack', request: query('cloudformation', 'DescribeStacks', '2010-05-15'), pattern: /<StackName>([^<]+)/g },
  {
    name: 'function',
    request: { service: 'lambda', path: '/2015-03-31/functions/' },
    pattern: /"FunctionName": ?"([^"]+)/g,
  },
  {
    name: 'event source mapping',
    request: { service: 'lambda', path: '/2015-03-31/event-source-mappings/' },
    pattern: /"EventSourceArn": ?"([^"]+)/g,
  },
  { name: 'queue', request: json('sqs', 'AmazonSQS.ListQueues'), pattern: /"(http[^"]+)"/g },
  { name: 'table', request: json('dynamodb', 'DynamoDB_20120810.ListTables'), pattern: /"(millrace-[^"]+)"/g },
  { name: 'event bus', request: json('events', 'AWSEvents.ListEventBuses'), pattern: /"Name": ?"([^"]+)/g },
  {
    name: 'rule',
    request: json('events', 'AWSEvents.ListRules', { EventBusName: 'millrace-dev' }),
    pattern: /"Name": ?"([^"]+)/g,
  },
  { name: 'archive', request: json('events', 'AWSEvents.ListArchives'), pattern: /"ArchiveName": ?"([^"]+)/g },
  {
    name: 'schedule group',
    request: { service: 'scheduler', path: '/schedule-groups' },
    pattern: /"Name": ?"(millrace-[^"]+)/g,
  },
  { name: 'topic', request: query('sns', 'ListTopics', '2010-03-31'), pattern: /<TopicArn>([^<]+)/g },
  { name: 'parameter', request: json('ssm', 'AmazonSSM.DescribeParameters'), pattern: /"Name": ?"([^"]+)/g },
  {
    name: 'log group',
    request: json('logs', 'Logs_20140328.DescribeLogGroups'),
    pattern: /"logGroupName": ?"([^"]+)/g,
  },
  { name: 'alarm', request: query('monitoring', 'DescribeAlarms', '2010-08-01'), pattern: /<AlarmName>([^<]+)/g },
  { name: 'role', request: query('iam', 'ListRoles', '2010-05-08'), pattern: /<RoleName>([^<]+)/g },
  { name: 'bucket', request: { service: 's3', path: '/' }, pattern: /<Name>([^<]+)/g },
  { name: 'HTTP API', request: { service: 'apigateway', path: '/v2/apis' }, pattern: /"apiId": ?"([^"]+)/g },
];

/** Names of what there is, by kind. */
export type Resources = Map<string, string[]>;

/** Lists every kind of resource that the stacks are made of, and what Lambda makes of its own accord. */
export async function listResources(awsUrl: string): Promise<Resources> {
  const entries = KINDS.map(async ({ name, request, pattern }) => {
    const answer = await callAws(awsUrl, request);
    return [name, [...answer.matchAll(pattern)].map(([, found = '']) => found)] as const;
  });
  return new Map(await Promise.all(entries));
}

/** What there is now and was not before, as `queue millrace-orders-dev-relay-dlq`. */
export function added(before: Resources, now: Resources): string[] {
  return [...now].flatMap(([kind, names]) =>
    names.filter((name) => !before.get(kind)?.includes(name)).map((name) => `${kind} ${name}`),
  );
}

/** Kinds of which there is nothing new: after a deployment a sign that the listing does not see them. */
export function kindsWithout(before: Resources, now: Resources): string[] {
  const all = added(before, now);
  return KINDS.map(({ name }) => name).filter((kind) => !all.some((entry) => entry.startsWith(`${kind} `)));
}
