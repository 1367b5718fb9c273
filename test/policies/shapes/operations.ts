import {
  absent,
  between,
  computed,
  dataKey,
  each,
  either,
  judgedBy,
  matching,
  object,
  oneOf,
  optional,
  ownName,
  policy,
  reference,
  type Shape,
  type ShapeContext,
  type TypeShape,
  text,
  when,
} from '../shape.ts';
import {
  at,
  circuitDimensions,
  circuitsOf,
  isSame,
  list,
  referenceTo,
  streamNameOf,
  streamReadDimensions,
  viewStreamOf,
} from '../template.ts';

/** Alarms measure by the minute: a longer period is known of later. */
const period = oneOf(60);

/** The reads of the stream of a table of this template. */
const streamReads: Shape = computed(({ properties, service }) => {
  const table = referenceTo(at(list(properties.Dimensions)[0], 'Value')) ?? '';
  return service.template.Resources?.[table]?.Type === 'AWS::DynamoDB::Table' ? streamReadDimensions(table) : [];
});

/** The stream of views. */
const viewStream = object({
  Name: oneOf('StreamName'),
  Value: computed(({ service }) => streamNameOf(viewStreamOf(service.stage))),
});

/** A circuit, as its functions report it. */
const circuits: Shape = computed(({ properties, service }) =>
  (circuitsOf[service.name] ?? [])
    .map((circuit) => circuitDimensions(service.name, circuit))
    .find((each) => isSame(each, properties.Dimensions)),
);

/**
 * What a metric is of: a queue, a function, a stream or a circuit of this template. Another name measures nothing, and says that all is
 * well.
 */
const dimensions = either(
  each(
    either(
      object({ Name: oneOf('QueueName'), Value: reference('AWS::SQS::Queue', 'QueueName') }),
      object({ Name: oneOf('FunctionName'), Value: functionName() }),
      object({ Name: oneOf('DeliveryStreamName'), Value: reference('AWS::KinesisFirehose::DeliveryStream') }),
      object({ Name: oneOf('ScheduleGroup'), Value: reference('AWS::Scheduler::ScheduleGroup') }),
      viewStream,
    ),
    { most: 1 },
  ),
  streamReads,
  circuits,
);

/** Those of Kinesis begin with the operation, those of Firehose with the destination. */
const metricName = matching(/^([A-Z][A-Za-z0-9]+\.)?[A-Z][A-Za-z]+$/);
const namespace = oneOf(
  ...['AWS/SQS', 'AWS/Lambda', 'AWS/DynamoDB', 'AWS/Kinesis', 'AWS/Firehose', 'AWS/Scheduler', 'Millrace'],
);

/** Logs, alarms, keys and parameters. */
export const operations: Readonly<Record<string, TypeShape>> = {
  'AWS::Logs::LogGroup': {
    properties: {
      LogGroupName: judgedBy('log-retention'),
      KmsKeyId: dataKey,
      RetentionInDays: computed(({ workspace }) => workspace.parameters.logRetentionDays),
    },
  },
  'AWS::CloudWatch::Alarm': {
    properties: {
      AlarmName: ownName,
      AlarmDescription: text,
      Namespace: optional(namespace),
      MetricName: optional(metricName),
      Dimensions: optional(dimensions),
      Statistic: optional(oneOf('Maximum', 'Minimum', 'Sum', 'Average', 'SampleCount')),
      Period: optional(period),
      Metrics: optional(
        each(
          either(
            object({
              Id: text,
              MetricStat: object({
                Metric: object({ Namespace: namespace, MetricName: metricName, Dimensions: dimensions }),
                Stat: oneOf('Maximum', 'Minimum', 'Sum', 'Average', 'SampleCount'),
                Period: period,
              }),
              ReturnData: oneOf(false),
            }),
            object({ Id: text, Label: text, Expression: text, ReturnData: oneOf(true) }),
          ),
        ),
      ),
      EvaluationPeriods: between(1, 60),
      DatapointsToAlarm: optional(between(1, 10)),
      Threshold: between(0, 3_600_000),
      ComparisonOperator: oneOf('GreaterThanThreshold', 'GreaterThanOrEqualToThreshold', 'LessThanThreshold'),
      TreatMissingData: oneOf('notBreaching', 'breaching'), // otherwise the alarm waits for data, in silence
      AlarmActions: judgedBy('dead-letter-alarms'),
      OKActions: judgedBy('dead-letter-alarms'),
    },
  },
  'AWS::KMS::Key': {
    properties: {
      Description: text,
      // KMS does not rotate keys that make codes, and then every person would have another pseudonym.
      EnableKeyRotation: when(isOfPseudonyms, absent, oneOf(true)),
      KeySpec: when(isOfPseudonyms, oneOf('HMAC_256'), absent),
      KeyUsage: when(isOfPseudonyms, oneOf('GENERATE_VERIFY_MAC'), absent),
      KeyPolicy: policy('resource-policies'),
    },
    // Without the key of the data, what outlives its stack could not be read; without that of pseudonyms, no customer be recognised.
    removal: when(
      isOfPseudonyms,
      computed(({ workspace }) => workspace.parameters.removalPolicy),
      when(({ id }) => id === 'DataKey', oneOf('Retain'), absent),
    ),
  },
  'AWS::SSM::Parameter': {
    properties: {
      Name: matching(/^\/millrace\/[a-z]+\/[a-z-]+\/[a-z-]+$/),
      Type: oneOf('String'),
      // Never a text: whoever may read the template would read it.
      Value: computed(({ properties }) => {
        const [, bus, what] = /\/([a-z]+)-bus\/(name|arn)$/.exec(String(properties.Name)) ?? [];
        const id = bus === 'analytics' ? 'AnalyticsBus' : 'EventBus';
        return what === 'arn' ? { 'Fn::GetAtt': [id, 'Arn'] } : { Ref: id };
      }),
    },
  },
};

/** True of the key of pseudonyms. */
function isOfPseudonyms({ id }: ShapeContext): boolean {
  return id === 'PseudonymKey';
}

function functionName(): Shape {
  return (value, path, { service }) =>
    Object.values(service.template.Resources ?? {}).some(
      ({ Type, Properties }) => Type === 'AWS::Lambda::Function' && Properties?.FunctionName === value,
    )
      ? []
      : [`${path} is ${JSON.stringify(value)}, not the name of a function of this template`];
}
