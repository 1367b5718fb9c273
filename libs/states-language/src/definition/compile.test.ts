import { describe, expect, it } from '@jest/globals';
import { compileDefinition, compileSingleState } from './compile.ts';
import type { MachineType } from './machine.ts';

const end = { End: true };
const lambda = 'arn:aws:lambda:us-east-1:000000000000:function:f';
const machine = (states: Record<string, object>, top: object = {}) => ({
  StartAt: Object.keys(states)[0],
  States: states,
  ...top,
});
const task = (fields: object) => machine({ A: { Type: 'Task', Resource: lambda, ...end, ...fields } });

/** What is wrong with a definition, as `<code> <location>`. */
function problems(definition: unknown, type: MachineType = 'STANDARD'): string[] {
  const text = typeof definition === 'string' ? definition : JSON.stringify(definition);
  return compileDefinition(text, { type }).diagnostics.map(({ code, location }) => `${code} ${location}`);
}

/** https://states-language.net/ and https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html */
describe('a definition', () => {
  it('without what it needs is refused in the words of AWS', () => {
    expect(compileDefinition('{"StartAt":"A"}', { type: 'STANDARD' })).toMatchObject({
      message: "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
    });
  });

  it('is refused for everything that is wrong with it at once', () => {
    expect(problems(machine({ A: { Type: 'Pass', Next: 'X', Foo: 1 }, B: { Type: 'Nope' } }))).toEqual([
      'SCHEMA_VALIDATION_FAILED /States/A/Foo',
      'SCHEMA_VALIDATION_FAILED /States/B/Type',
    ]);
  });

  const refused: [string, unknown, string][] = [
    ['that is not JSON', '{', 'INVALID_JSON_DESCRIPTION /'],
    ['that is not an object', '[]', 'SCHEMA_VALIDATION_FAILED '],
    [
      'whose start is missing',
      machine({ A: { Type: 'Succeed' } }, { StartAt: 'B' }),
      'MISSING_TRANSITION_TARGET /StartAt',
    ],
    [
      'whose next state is missing',
      machine({ A: { Type: 'Pass', Next: 'B' } }),
      'MISSING_TRANSITION_TARGET /States/A/Next',
    ],
    [
      'whose catcher leads nowhere',
      task({ Catch: [{ ErrorEquals: ['X'], Next: 'B' }] }),
      'MISSING_TRANSITION_TARGET /States/A/Catch[0]/Next',
    ],
    [
      'with a state that nothing leads to',
      machine({ A: { Type: 'Succeed' }, B: { Type: 'Succeed' } }),
      'MISSING_TRANSITION_TARGET /States/B',
    ],
    ['with a name that is not unique', nestedTwice(), 'DUPLICATE_STATE_NAME /States/P/Branches[0]/States/P'],
    [
      'with both Next and End',
      machine({ A: { Type: 'Pass', Next: 'A', ...end } }),
      'SCHEMA_VALIDATION_FAILED /States/A',
    ],
    ['with a resource that is not valid', task({ Resource: 'x' }), 'SCHEMA_VALIDATION_FAILED /States/A/Resource'],
    [
      'with a path that cannot be read',
      machine({ A: { Type: 'Pass', InputPath: 'a', ...end } }),
      'SCHEMA_VALIDATION_FAILED /States/A/InputPath',
    ],
    [
      'with a template that cannot be read',
      task({ Parameters: { 'a.$': 1 } }),
      'SCHEMA_VALIDATION_FAILED /States/A/Parameters',
    ],
    [
      'with an unknown function',
      task({ Parameters: { 'a.$': 'States.X()' } }),
      'SCHEMA_VALIDATION_FAILED /States/A/Parameters',
    ],
    [
      'with a constant and a path for one field',
      task({ Parameters: { a: 1, 'a.$': '$.a' } }),
      'SCHEMA_VALIDATION_FAILED /States/A/Parameters',
    ],
    [
      'with a ResultPath to many places',
      task({ ResultPath: '$.a[*]' }),
      'SCHEMA_VALIDATION_FAILED /States/A/ResultPath',
    ],
    ['that assigns to states', task({ Assign: { states: 1 } }), 'SCHEMA_VALIDATION_FAILED /States/A/Assign'],
    [
      'with a heartbeat longer than its timeout',
      task({ TimeoutSeconds: 5, HeartbeatSeconds: 5 }),
      'SCHEMA_VALIDATION_FAILED /States/A',
    ],
    [
      'with States.ALL beside others',
      task({ Retry: [{ ErrorEquals: ['States.ALL', 'X'] }] }),
      'SCHEMA_VALIDATION_FAILED /States/A/Retry[0]/ErrorEquals',
    ],
    [
      'with States.ALL before others',
      task({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['X'] }] }),
      'SCHEMA_VALIDATION_FAILED /States/A/Retry[0]/ErrorEquals',
    ],
    [
      'with a backoff below 1',
      task({ Retry: [{ ErrorEquals: ['X'], BackoffRate: 0.5 }] }),
      'SCHEMA_VALIDATION_FAILED /States/A/Retry[0]/BackoffRate',
    ],
    ['with a wait of no length', machine({ A: { Type: 'Wait', ...end } }), 'SCHEMA_VALIDATION_FAILED /States/A'],
    [
      'with a time that is not valid',
      machine({ A: { Type: 'Wait', Timestamp: '2026-02-30T00:00:00Z', ...end } }),
      'SCHEMA_VALIDATION_FAILED /States/A/Timestamp',
    ],
    [
      'with an unknown comparison',
      machine({ A: choice({ Variable: '$', NumberEquals: 1 }), B: { Type: 'Succeed' } }),
      'SCHEMA_VALIDATION_FAILED /States/A/Choices[0]/NumberEquals',
    ],
    [
      'with two comparisons in a rule',
      machine({ A: choice({ Variable: '$', IsNull: true, IsString: true }), B: { Type: 'Succeed' } }),
      'SCHEMA_VALIDATION_FAILED /States/A/Choices[0]',
    ],
    [
      'with a Map state without a processor',
      machine({ A: { Type: 'Map', ...end } }),
      'SCHEMA_VALIDATION_FAILED /States/A',
    ],
    [
      'with a reader in an inline Map state',
      machine({ A: { ...map(), ItemReader: {} } }),
      'SCHEMA_VALIDATION_FAILED /States/A/ItemReader',
    ],
    [
      'in JSONata with a JSONPath state',
      machine({ A: { Type: 'Pass', QueryLanguage: 'JSONPath', ...end } }, { QueryLanguage: 'JSONata' }),
      'SCHEMA_VALIDATION_FAILED /States/A/QueryLanguage',
    ],
    [
      'in JSONata with an expression that cannot be parsed',
      machine({ A: { Type: 'Pass', Output: '{% 1 + %}', ...end } }, { QueryLanguage: 'JSONata' }),
      'SCHEMA_VALIDATION_FAILED /States/A/Output',
    ],
    [
      'in JSONata with a path',
      machine({ A: { Type: 'Pass', OutputPath: '$', ...end } }, { QueryLanguage: 'JSONata' }),
      'SCHEMA_VALIDATION_FAILED /States/A/OutputPath',
    ],
  ];

  it.each(refused)('%s is refused with its place', (_, definition, problem) => {
    expect(problems(definition)).toContain(problem.replace(/ $/, ' /'));
  });

  it.each([
    ['arn:aws:states:::sqs:sendMessage.waitForTaskToken', '/States/A/Resource'],
    ['arn:aws:states:::states:startExecution.sync:2', '/States/A/Resource'],
    ['arn:aws:states:us-east-1:000000000000:activity:a', '/States/A/Resource'],
  ])('of an Express workflow may not wait by %s', (Resource, place) => {
    expect(problems(task({ Resource }), 'EXPRESS')).toEqual([`SCHEMA_VALIDATION_FAILED ${place}`]);
    expect(problems(task({ Resource }))).toEqual([]);
  });

  it.each<[string, unknown]>([
    [
      'a JSONata state in a JSONPath machine',
      machine({ A: { Type: 'Pass', QueryLanguage: 'JSONata', Output: null, ...end } }),
    ],
    [
      'a JSONPath state below a JSONata Map state',
      machine({ A: { ...map({ QueryLanguage: 'JSONPath' }), QueryLanguage: 'JSONata' } }),
    ],
    [
      'a condition that is constant',
      machine({ A: { ...choice({ Condition: true }), QueryLanguage: 'JSONata' }, B: { Type: 'Succeed' } }),
    ],
    [
      'an output that is a list',
      machine({ A: { Type: 'Pass', QueryLanguage: 'JSONata', Output: [null, 1, '{% 1 %}'], ...end } }),
    ],
    [
      'comments',
      machine({ A: { Type: 'Pass', Comment: 'c', ...end } }, { Comment: 'c', Version: '1.0', TimeoutSeconds: 5 }),
    ],
  ])('may have %s', (_, definition) => {
    expect(problems(definition)).toEqual([]);
  });

  it('of one state is refused as one of a machine is', () => {
    expect(() => compileSingleState('S', { Type: 'Task', ...end })).toThrow(
      'These fields are required: [Resource] at /',
    );
  });
});

function choice(rule: object): object {
  return { Type: 'Choice', Choices: [{ ...rule, Next: 'B' }] };
}

function map(fields: object = {}): object {
  return { Type: 'Map', ItemProcessor: machine({ I: { Type: 'Pass', ...end, ...fields } }), ...end };
}

function nestedTwice(): object {
  return machine({ P: { Type: 'Parallel', Branches: [machine({ P: { Type: 'Succeed' } })], ...end } });
}
