import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import type { CompiledWorkspace } from '../compiled-workspace.ts';
import type { Rule } from '../rule.ts';
import { at, type Entry, entriesOf, list, referenceTo } from '../template.ts';

/**
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
export const relayStreams: Rule = {
  name: 'relay-streams',
  why: 'a stored event that its relay skips or gives up is never on the bus, and nothing else tells of it',
  check(service, workspace) {
    return entriesOf(service, 'AWS::Lambda::EventSourceMapping').flatMap((mapping) => {
      const source = referenceTo(mapping.properties.EventSourceArn) ?? '';
      if (service.template.Resources?.[source]?.Type !== 'AWS::DynamoDB::Table') return [];
      return problemsOf(mapping, service.name, workspace).map((problem) => ({ resource: mapping.id, problem }));
    });
  },
};

/** A stream keeps its records for a day; the dead-letter queue has to be told before they are gone. */
const [oldest, day] = [82_800, 86_400];

function problemsOf({ properties }: Entry, service: string, workspace: CompiledWorkspace): string[] {
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
    ...filterProblems(list(at(properties, 'FilterCriteria', 'Filters')), service, workspace),
  ];
}

/** Whether the relay is woken for every event of the service, and for nothing else. */
function filterProblems(filters: unknown[], service: string, { exampleEvents }: CompiledWorkspace): string[] {
  let matchers: Array<(record: JsonValue) => boolean>;
  try {
    matchers = filters.map((filter) => compilePattern(String(at(filter, 'Pattern'))));
  } catch (error) {
    return [`FilterCriteria: ${(error as Error).message}`];
  }
  const wakes = (record: object) => matchers.some((matches) => matches(record as JsonValue));
  const row = (outbox?: object) => ({
    pk: { S: 'order-1' },
    sk: { S: '1' },
    ...(outbox && { outbox: { M: outbox } }),
  });
  const record = (eventName: string, image: object) => ({ eventName, dynamodb: { NewImage: image } });
  const own = exampleEvents.filter(({ source }) => source === `millrace.${service}`);
  const event = (text: unknown) => ({ detail: { S: JSON.stringify(text) } });
  return [
    ...own
      .filter(({ event: each }) => !wakes(record('INSERT', row(event(each)))))
      .map(({ detailType }) => `FilterCriteria leaves out ${detailType}`),
    ...(wakes(record('INSERT', row())) ? ['FilterCriteria lets rows without an event through'] : []),
    ...(['MODIFY', 'REMOVE'].some((name) => wakes(record(name, row(event({})))))
      ? ['FilterCriteria lets rows through whose event was emitted before']
      : []),
  ];
}
