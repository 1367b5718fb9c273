import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import type { CompiledWorkspace } from '../compiled-workspace.ts';
import type { Rule } from '../rule.ts';
import { at, entriesOf, list, referenceTo } from '../template.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html */
export const relayStreams: Rule = {
  name: 'relay-streams',
  why: 'a stored event that its relay skips is never on the bus, and nothing else tells of it',
  check(service, workspace) {
    return entriesOf(service, 'AWS::Lambda::EventSourceMapping').flatMap((mapping) => {
      const source = referenceTo(mapping.properties.EventSourceArn) ?? '';
      if (service.template.Resources?.[source]?.Type !== 'AWS::DynamoDB::Table') return [];
      const filters = list(at(mapping.properties, 'FilterCriteria', 'Filters'));
      return filterProblems(filters, service.name, workspace).map((problem) => ({ resource: mapping.id, problem }));
    });
  },
};

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
