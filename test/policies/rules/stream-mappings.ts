import type { Rule } from '../rule.ts';
import { type Entry, entriesOf, referenceTo } from '../template.ts';

/**
 * Of streams of tables and of Kinesis.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
 */
export const streamMappings: Rule = {
  name: 'stream-mappings',
  why: 'a record that is skipped, or given up too early or too late, is gone, and nothing else tells of it',
  check(service) {
    return entriesOf(service, 'AWS::Lambda::EventSourceMapping').flatMap((mapping) => {
      const source = referenceTo(mapping.properties.EventSourceArn) ?? '';
      if (service.template.Resources?.[source]?.Type === 'AWS::SQS::Queue') return [];
      return problemsOf(mapping).map((problem) => ({ resource: mapping.id, problem }));
    });
  },
};

/** A stream keeps its records for a day; the dead-letter queue has to be told before they are gone. */
const [oldest, day] = [82_800, 86_400];

function problemsOf({ properties }: Entry): string[] {
  const { StartingPosition, MaximumRetryAttempts, MaximumRecordAgeInSeconds, BisectBatchOnFunctionError } = properties;
  const age = Number(MaximumRecordAgeInSeconds);
  const attempts = Number(MaximumRetryAttempts);
  return [
    ...(StartingPosition === 'TRIM_HORIZON'
      ? []
      : [`StartingPosition is ${StartingPosition}: what was stored before the mapping is skipped`]),
    ...(attempts >= 1000 && attempts <= 10_000
      ? []
      : [`MaximumRetryAttempts is ${MaximumRetryAttempts}, not 1000 or more`]),
    ...(age >= oldest && age < day
      ? []
      : [`MaximumRecordAgeInSeconds is ${MaximumRecordAgeInSeconds}, not from ${oldest} to ${day - 1}`]),
    ...(BisectBatchOnFunctionError === true
      ? []
      : ['BisectBatchOnFunctionError is not true: one bad record stops the others']),
  ];
}
