import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import type { CompiledService, CompiledWorkspace } from '../compiled-workspace.ts';
import type { Rule } from '../rule.ts';
import { hasOwnKey } from '../shape.ts';
import { assumableBy, at, type Entry, entriesOf, isSame, list, referenceTo, stageArn } from '../template.ts';
import { fits, lateQueue, queueDimensions } from '../wanted-alarm.ts';
import { isFunction } from './state-machines.ts';

/**
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
 */
export const pipes: Rule = {
  name: 'pipes',
  why: 'a pipe deletes what its filter leaves out, says of no dead letter why, and what it may call whoever changes it may call',
  check(service, workspace) {
    return entriesOf(service, 'AWS::Pipes::Pipe').flatMap((pipe) =>
      problemsOf(pipe, service, workspace).map((problem) => ({ resource: pipe.id, problem })),
    );
  },
};

function problemsOf({ properties }: Entry, service: CompiledService, workspace: CompiledWorkspace): string[] {
  const { Name, Source, SourceParameters, Enrichment, Target, RoleArn } = properties;
  const resources = service.template.Resources ?? {};
  const source = referenceTo(Source) ?? '';
  const queue = resources[source]?.Properties;
  const enrichment = resources[referenceTo(Enrichment) ?? '']?.Properties;
  const role = resources[referenceTo(RoleArn) ?? '']?.Properties;
  const target = functionOf(Target, workspace);
  const seconds = 6 * (Number(enrichment?.Timeout) + Number(target?.Timeout));
  const visible = Number(queue?.VisibilityTimeout);
  const variables = at(enrichment, 'Environment', 'Variables');
  const others = entriesOf(service, 'AWS::Pipes::Pipe').filter(
    (other) => referenceTo(other.properties.Source) === source,
  );
  return [
    ...(isFunction(Target, service, workspace.services) ? [] : ['Target is not a function of this stage']),
    ...(others.length === 1 ? [] : [`${source} feeds another pipe, too`]),
    ...(passesAllButTests(at(SourceParameters, 'FilterCriteria', 'Filters'))
      ? []
      : ['its filter may leave out an order: it may look at the attribute "purpose" alone, and leave out "test"']),
    ...(isSame(role?.AssumeRolePolicyDocument, forPipe(Name)) ? [] : ['its role is not for this pipe alone']),
    ...(isSame(role?.Policies, mayCall(source, [Enrichment, Target], service, workspace))
      ? []
      : ['its role does not allow to empty its queue and to call its functions, or allows more']),
    // Far longer, and an order waits that long for its second attempt.
    ...(visible >= seconds && visible <= 2 * seconds
      ? []
      : [`VisibilityTimeout of ${source} is ${visible} s, and its functions need ${seconds} s`]),
    // The pipe itself writes no reason: the enrichment has to.
    ...(isSame(at(variables, 'MILLRACE_CONSUMER_QUEUE_URL'), { Ref: source }) &&
    isSame(at(variables, 'MILLRACE_CONSUMER_DLQ_URL'), {
      Ref: referenceTo(at(queue, 'RedrivePolicy', 'deadLetterTargetArn')),
    })
      ? []
      : ['its enrichment does not know its queue and its dead-letter queue']),
    ...(entriesOf(service, 'AWS::CloudWatch::Alarm').some((alarm) => fits(alarm, lateQueue, queueDimensions(source)))
      ? []
      : [`no alarm goes off when ${source} is late`]),
  ];
}

/** The filter decides by what cannot be a mistake, whatever the body is. */
function passesAllButTests(filters: unknown): boolean {
  const [filter, ...others] = list(filters);
  let matches: (record: JsonValue) => boolean;
  try {
    const pattern = String(at(filter, 'Pattern'));
    if (!isSame(Object.keys(JSON.parse(pattern)), ['messageAttributes'])) return false;
    matches = compilePattern(pattern);
  } catch {
    return false;
  }
  const record = (messageAttributes: JsonValue) => ({ body: 'no JSON', messageAttributes });
  const purpose = (stringValue: string) => record({ purpose: { stringValue, dataType: 'String' } });
  return (
    others.length === 0 &&
    Object.keys(Object(filter)).length === 1 &&
    [record({}), purpose('order'), purpose('tests'), record({ other: { stringValue: 'test' } })].every(matches) &&
    !matches(purpose('test'))
  );
}

function forPipe(name: unknown): object {
  return assumableBy('pipes.amazonaws.com', {
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    ArnEquals: { 'aws:SourceArn': stageArn('pipes', `pipe/${name}`) },
  });
}

function mayCall(
  source: string,
  functions: readonly unknown[],
  service: CompiledService,
  workspace: CompiledWorkspace,
): object[] {
  const empty = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
  const key = { 'Fn::ImportValue': `millrace-${service.stage}:DataKeyArn` };
  const Statement = [
    { Effect: 'Allow', Action: empty, Resource: { 'Fn::GetAtt': [source, 'Arn'] } },
    { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: functions },
    ...(hasOwnKey({ workspace }) ? [{ Effect: 'Allow', Action: ['kms:Decrypt'], Resource: key }] : []),
  ];
  return [{ PolicyName: 'pipe', PolicyDocument: { Version: '2012-10-17', Statement } }];
}

/** A function of any service of the stage, by its ARN. */
function functionOf(arn: unknown, { services }: CompiledWorkspace): Record<string, unknown> | undefined {
  const name = /:function:([\w-]+)$/.exec(String(at(arn, 'Fn::Sub')))?.[1];
  const all = services.flatMap((service) => entriesOf(service, 'AWS::Lambda::Function'));
  return all.find(({ properties }) => properties.FunctionName === name)?.properties;
}
