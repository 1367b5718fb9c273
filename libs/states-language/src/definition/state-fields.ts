import type { QueryLanguage, State } from './machine.ts';

const common = ['Type', 'Comment', 'QueryLanguage'];
const transition = ['Next', 'End'];
const paths = ['InputPath', 'OutputPath'];
const recovery = ['Retry', 'Catch'];
const jsonPathResult = ['Parameters', 'ResultSelector', 'ResultPath'];
const mapFields = ['ItemProcessor', 'Iterator', 'ItemSelector', 'ItemReader', 'ItemBatcher', 'ResultWriter', 'Label'];
const mapNumbers = ['MaxConcurrency', 'ToleratedFailureCount', 'ToleratedFailurePercentage'];

/** The fields that a state of a type has in a query language, beside those that all states have. */
const fields: Readonly<Record<State['type'], Readonly<Record<QueryLanguage, readonly string[]>>>> = {
  Pass: {
    JSONPath: [...transition, ...paths, 'Parameters', 'Result', 'ResultPath', 'Assign'],
    JSONata: [...transition, 'Output', 'Assign'],
  },
  Succeed: { JSONPath: paths, JSONata: ['Output'] },
  Fail: { JSONPath: ['Error', 'ErrorPath', 'Cause', 'CausePath'], JSONata: ['Error', 'Cause'] },
  Wait: {
    JSONPath: [...transition, ...paths, 'Assign', 'Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'],
    JSONata: [...transition, 'Output', 'Assign', 'Seconds', 'Timestamp'],
  },
  Choice: {
    JSONPath: [...paths, 'Choices', 'Default', 'Assign'],
    JSONata: ['Choices', 'Default', 'Assign', 'Output'],
  },
  Task: {
    JSONPath: [
      ...[...transition, ...paths, ...jsonPathResult, ...recovery, 'Assign', 'Resource', 'Credentials'],
      ...['TimeoutSeconds', 'TimeoutSecondsPath', 'HeartbeatSeconds', 'HeartbeatSecondsPath'],
    ],
    JSONata: [
      ...[...transition, ...recovery, 'Arguments', 'Output', 'Assign', 'Resource', 'Credentials'],
      ...['TimeoutSeconds', 'HeartbeatSeconds'],
    ],
  },
  Parallel: {
    JSONPath: [...transition, ...paths, ...jsonPathResult, ...recovery, 'Assign', 'Branches'],
    JSONata: [...transition, ...recovery, 'Arguments', 'Output', 'Assign', 'Branches'],
  },
  Map: {
    JSONPath: [
      ...[...transition, ...paths, ...jsonPathResult, ...recovery, 'Assign', 'ItemsPath', ...mapFields],
      ...mapNumbers.flatMap((name) => [name, `${name}Path`]),
    ],
    JSONata: [...transition, ...recovery, 'Output', 'Assign', 'Items', ...mapFields, ...mapNumbers],
  },
};

export function isStateType(type: unknown): type is State['type'] {
  return typeof type === 'string' && Object.hasOwn(fields, type);
}

export function fieldsOf(type: State['type'], language: QueryLanguage): readonly string[] {
  return [...common, ...fields[type][language]];
}
