import { describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '../json.ts';
import { compileJsonata, compileTypedJsonata, isJsonata } from './jsonata.ts';

const NOW = Date.parse('2026-06-01T10:20:30Z');
const chance = { now: () => NOW, random: () => 0.25, uuid: () => 'id' };
const scope = (input: Json, variables: JsonObject = {}) => ({
  input,
  context: { State: { Name: 'S' } },
  variables,
  chance,
});
const evaluate = (expression: string, input: Json = {}, variables: JsonObject = {}): Promise<Json> =>
  compileJsonata(`{% ${expression} %}`, 'Output')(scope(input, variables));

/** https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html */
describe('a JSONata expression', () => {
  it.each<[string, Json]>([
    ['$states.input.a + $v', 3],
    ['$states.context.State.Name', 'S'],
    ['$partition([1,2,3], 2)', [[1, 2], [3]]],
    ['$range(0, 6, 3)', [0, 3, 6]],
    ["$hash('hello', 'MD5')", '5d41402abc4b2a76b9719d911017c592'],
    ['$parse(\'{"a":1}\')', { a: 1 }],
    ['$random()', 0.25],
    ['$random(7) = $random(7)', true],
    ['$uuid()', 'id'],
    ['$millis()', NOW],
    ['$now()', '2026-06-01T10:20:30.000Z'],
    ["$now('[Y]-[M01]')", '2026-06'],
    ['$map([1,2], function($x) { $x * 2 })', [2, 4]],
    ['[1..3]', [1, 2, 3]],
    ['null', null],
  ])('%s', async (expression, expected) => {
    expect(await evaluate(expression, { a: 1 }, { v: 2 })).toEqual(expected);
  });

  it('gives plain lists, without the marks of sequences', async () => {
    const result = await evaluate('$map([1,2], function($x) { $x })');
    expect(Object.getOwnPropertyNames(result)).toEqual(['0', '1', 'length']);
  });

  it.each([
    ['$nope', "The JSONata expression '$nope' specified for the field 'Output' returned nothing (undefined)."],
    [
      "1 + 'a'",
      `The JSONata expression '1 + 'a'' specified for the field 'Output' threw an error during evaluation. T2002: The right side of the "+" operator must evaluate to a number`,
    ],
    [
      'function($x) { $x }',
      "The JSONata expression 'function($x) { $x }' specified for the field 'Output' returned an unsupported result type.",
    ],
  ])('%s fails', async (expression, message) => {
    await expect(evaluate(expression)).rejects.toMatchObject({
      message,
      error: 'States.QueryEvaluationError',
      location: 'Output',
    });
  });

  it('that does not end is stopped', async () => {
    await expect(evaluate('( $f := function($n) { 1 + $f($n + 1) }; $f(0) )')).rejects.toThrow(
      /Stack overflow|D1011|D1012/,
    );
  });

  it('of another type than the field has is an error that shows the value', async () => {
    const number = compileTypedJsonata('{% {"a": 1} %}', 'Seconds', 'number');
    await expect(number(scope({}))).rejects.toThrow(
      `The JSONata expression '{"a": 1}' specified for the field 'Seconds' returned an unexpected result type. Expected 'number', but was 'object' for value: {"a":1}`,
    );
  });

  it('cannot be parsed, or uses $eval: refused before it is run', () => {
    expect(() => compileJsonata('{% 1 + %}', 'Output')).toThrow();
    expect(() => compileJsonata("{% $map(['1'], $eval) %}", 'Output')).toThrow('$eval is not supported');
    expect(() => compileJsonata("{% $eval('1') %}", 'Output')).toThrow('$eval is not supported');
  });

  it('is a string as a whole', () => {
    expect(['{% 1 %}', '{%1%}', ' {% 1 %}', '{% 1 %} ', 'x', 1].map(isJsonata)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
