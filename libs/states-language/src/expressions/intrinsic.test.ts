import { describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '../json.ts';
import { compileIntrinsic } from './intrinsic.ts';

const call = (text: string, input: Json = {}, context: JsonObject = {}): Json =>
  compileIntrinsic(text)({
    input,
    context,
    variables: { v: [1] },
    chance: { now: () => 0, random: () => 0.5, uuid: () => 'id' },
  });

/** https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html */
describe('an intrinsic function', () => {
  it.each<[string, Json]>([
    ["States.Array('a', 1, null, true, $.n)", ['a', 1, null, true, 3]],
    ['States.ArrayPartition($.list, 2)', [[1, 2], [2]]],
    ['States.ArrayContains($.list, 2)', true],
    ['States.ArrayContains($.list, 5)', false],
    ['States.ArrayRange(1, 9, 2)', [1, 3, 5, 7, 9]],
    ['States.ArrayRange(5, 1, -2)', [5, 3, 1]],
    ['States.ArrayGetItem($.list, 1)', 2],
    ['States.ArrayLength($.list)', 3],
    ['States.ArrayUnique($.list)', [1, 2]],
    ["States.Base64Encode('ä')", 'w6Q='],
    ["States.Base64Decode('w6Q=')", 'ä'],
    ["States.Hash('input data', 'SHA-1')", 'aaff4a450a104cd177d28d18d74485e8cae074b7'],
    ['States.JsonMerge($.one, $.other, false)', { a: 1, b: { y: 1 } }],
    ["States.StringToJson('[1]')", [1]],
    ['States.JsonToString($.one)', '{"a":1,"b":{"x":1}}'],
    ['States.MathAdd($.n, -1)', 2],
    ['States.MathAdd(-0.5, 0)', 0],
    ['States.MathRandom(1, 9)', 5],
    ["States.StringSplit('a.b+c', '.+')", ['a', 'b', 'c']],
    ['States.UUID()', 'id'],
    ["States.Format('{} is {}', 'it', $.one)", 'it is {a=1, b={x=1}}'],
    ["States.Format('\\{\\} {} it\\'s', 1)", "{} 1 it's"],
    ["States.Format('{}', States.Array($['odd, name'], $v[0]))", '[7, 1]'],
    ['States.ArrayLength($$.Execution.Input)', 2],
  ])('%s', (text, expected) => {
    const input = { n: 3, list: [1, 2, 2], one: { a: 1, b: { x: 1 } }, other: { b: { y: 1 } }, 'odd, name': 7 };
    expect(call(text, input, { Execution: { Input: [1, 2] } })).toEqual(expected);
  });

  it('fails with the words of AWS where an argument is missing, also in nested calls', () => {
    const text = "States.Format('{}', States.Format('{}', $.nope))";
    expect(() => call(text, { other: 1 })).toThrow(
      `The function '${text}' had the following error: The JsonPath argument for the field '$.nope' could not be found in the input '{"other":1}'`,
    );
  });

  it.each([
    "States.Format('{} {}', 1)",
    "States.Format('{}', 1, 2)",
    'States.ArrayGetItem($.list, 3)',
    'States.ArrayGetItem($.list, -1)',
    'States.ArrayPartition($.list, 0)',
    'States.ArrayRange(1, 2000, 1)',
    'States.ArrayRange(1, 2, 0)',
    'States.JsonMerge($.one, $.one, true)',
    "States.StringToJson('{')",
    "States.Hash('a', 'CRC')",
    'States.MathAdd(1, null)',
    'States.MathRandom(2, 2)',
  ])('%s fails with an error of the runtime', (text) => {
    const input = { list: [1], one: {} };
    expect(() => call(text, input)).toThrow(expect.objectContaining({ error: 'States.Runtime' }));
  });

  it.each([
    'States.Nope()',
    'States.UUID(1)',
    "States.Format('a'",
    "States.Format('a') b",
    "States.Format('\\d')",
    `${'States.Array('.repeat(11)}1${')'.repeat(11)}`,
  ])('%s is not one', (text) => {
    expect(() => compileIntrinsic(text)).toThrow(/is not valid/);
  });

  it('with a seed gives the same number again', () => {
    expect(call('States.MathRandom(0, 1000000, 7)')).toBe(call('States.MathRandom(0, 1000000, 7)'));
  });
});
