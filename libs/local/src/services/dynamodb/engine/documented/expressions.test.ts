import { beforeEach, describe, expect, test } from '@jest/globals';
import { EngineUnderTest, key } from '../../../../../fixtures/engine-under-test.ts';

let db: EngineUnderTest;

beforeEach(() => {
  db = new EngineUnderTest();
});

describe('conditions', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
  test('AND binds stronger than OR, and NOT stronger than both', () => {
    db.put('a', { n: { N: '1' } });
    const values = { ':one': { N: '1' }, ':two': { N: '2' } };
    expect(db.holds('n = :one OR n = :two AND n = :two', values)).toBe(true);
    expect(db.holds('(n = :one OR n = :two) AND n = :two', values)).toBe(false);
    expect(db.holds('NOT n = :two AND n = :one', values)).toBe(true);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
  test('contains looks for a part of a string, or an element', () => {
    db.put('a', { word: { S: 'flour' }, tags: { SS: ['x'] }, list: { L: [{ N: '1.0' }, { SS: ['x', 'y'] }] } });
    expect(db.holds('contains(word, :v)', { ':v': { S: 'lou' } })).toBe(true);
    expect(db.holds('contains(tags, :v)', { ':v': { S: 'x' } })).toBe(true);
    expect(db.holds('contains(#l, :v)'.replace('#l', 'list_'), { ':v': { N: '1' } })).toBe(false);
    const check = { ConditionExpression: 'contains(#list, :v)', ExpressionAttributeNames: { '#list': 'list' } };
    db.call('DeleteItem', { Key: key('a'), ...check, ExpressionAttributeValues: { ':v': { SS: ['y', 'x'] } } });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
  test('size counts bytes, elements or members', () => {
    db.put('a', { word: { S: 'é' }, tags: { SS: ['x', 'y'] }, map_: { M: { a: { S: '' } } }, n: { N: '5' } });
    expect(db.holds('size(word) = :two AND size(tags) = :two', { ':two': { N: '2' } })).toBe(true);
    expect(db.holds('size(map_) = :one', { ':one': { N: '1' } })).toBe(true);
    expect(db.holds('size(n) > :one', { ':one': { N: '0' } })).toBe(false);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
  test('attribute_type tells the type of an attribute, and is false for a missing one', () => {
    db.put('a', { nothing: { NULL: true }, n: { N: '1' } });
    expect(db.holds('attribute_type(nothing, :t)', { ':t': { S: 'NULL' } })).toBe(true);
    expect(db.holds('attribute_type(absent, :t)', { ':t': { S: 'NULL' } })).toBe(false);
    expect(() => db.holds('attribute_type(n, :t)', { ':t': { S: 'X' } })).toThrow(
      'Invalid attribute type name found; type: X',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
  test('BETWEEN includes both bounds', () => {
    db.put('a', { n: { N: '5' } });
    const between = (from: string, to: string) =>
      db.holds('n BETWEEN :f AND :t', { ':f': { N: from }, ':t': { N: to } });
    expect([between('5', '6'), between('4', '5'), between('6', '7')]).toEqual([true, true, false]);
    expect(() => between('2', '1')).toThrow('requires upper bound to be greater than or equal to lower bound');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
  test('attribute_not_exists of the key creates an item only once', () => {
    const once = { Item: key('a'), ConditionExpression: 'attribute_not_exists(pk)' };
    db.call('PutItem', once);
    expect(db.refused('PutItem', once).name).toBe('ConditionalCheckFailedException');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
  test('a failed condition answers the item when that is asked for', () => {
    db.put('a', { n: { N: '1' } });
    const input = { Item: key('a'), ConditionExpression: 'attribute_not_exists(pk)' };
    expect(db.refused('PutItem', input).members).toEqual({});
    expect(db.refused('PutItem', { ...input, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }).members).toEqual({
      Item: { ...key('a'), n: { N: '1' } },
    });
  });
});

describe('names', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
  test('a reserved word needs a placeholder, in upper and lower case', () => {
    const message = 'Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: ';
    expect(() => db.update('SET status = :v', { ':v': { S: 'x' } })).toThrow(`${message}status`);
    expect(() => db.update('SET Comment = :v', { ':v': { S: 'x' } })).toThrow(`${message}Comment`);
    expect(db.update('SET #status = :v', { ':v': { S: 'x' } }).status).toEqual({ S: 'x' });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html
  test('a placeholder is replaced by one name, including its dots', () => {
    const names = { ExpressionAttributeNames: { '#p': 'a.b' }, ExpressionAttributeValues: { ':v': { N: '1' } } };
    db.call('UpdateItem', { Key: key('a'), UpdateExpression: 'SET #p = :v', ...names });
    expect(db.get('a')['a.b']).toEqual({ N: '1' });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.Attributes.html
  test('a path leads through maps and lists, and a projection keeps their form', () => {
    db.put('a', { goods: { L: [{ M: { sku: { S: 'x' }, n: { N: '1' } } }, { S: 'b' }] } });
    expect(db.call('GetItem', { Key: key('a'), ProjectionExpression: 'goods[0].sku, goods[1]' }).Item).toEqual({
      goods: { L: [{ M: { sku: { S: 'x' } } }, { S: 'b' }] },
    });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
  test('names and values that no expression uses are refused', () => {
    expect(() => db.update('SET a = :a', { ':a': { S: 'x' }, ':b': { S: 'y' } })).toThrow(
      'Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}',
    );
  });
});

describe('updates', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
  test('every action sees the item as it was before', () => {
    db.put('a', { x: { N: '1' }, y: { N: '2' } });
    expect(db.update('SET x = y, y = x')).toMatchObject({ x: { N: '2' }, y: { N: '1' } });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
  test('an index behind the end of a list appends, in the order of the indexes', () => {
    db.put('a', { l: { L: [{ N: '0' }] } });
    const after = db.update('SET l[99] = :late, l[50] = :early', {
      ':late': { S: 'late' },
      ':early': { S: 'early' },
    });
    expect(after.l).toEqual({ L: [{ N: '0' }, { S: 'early' }, { S: 'late' }] });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
  test('list_append and if_not_exists', () => {
    const append = 'SET l = list_append(if_not_exists(l, :none), :more)';
    const values = { ':none': { L: [] }, ':more': { L: [{ N: '1' }] } };
    db.update(append, values);
    expect(db.update(append, values).l).toEqual({ L: [{ N: '1' }, { N: '1' }] });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
  test('removed elements of a list are those of the list as it was', () => {
    db.put('a', { l: { L: ['0', '1', '2', '3'].map((N) => ({ N })) } });
    expect(db.update('REMOVE l[1], l[2]').l).toEqual({ L: [{ N: '0' }, { N: '3' }] });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
  test('ADD counts from 0 and joins sets; DELETE takes the last set away', () => {
    const values = { ':one': { N: '1' }, ':x': { SS: ['x'] } };
    expect(db.update('ADD n :one, tags :x', values)).toMatchObject({ n: { N: '1' }, tags: { SS: ['x'] } });
    expect(db.update('DELETE tags :x', { ':x': { SS: ['x'] } })).not.toHaveProperty('tags');
    expect(() => db.update('ADD n :x', { ':x': { S: 'x' } })).toThrow('typeSet: ALLOWED_FOR_ADD_OPERAND');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
  test('paths do not overlap, and a section comes once', () => {
    const value = { ':v': { S: 'x' } };
    expect(() => db.update('SET a = :v REMOVE a.b', value)).toThrow(
      'Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]',
    );
    expect(() => db.update('SET a = :v SET b = :v', value)).toThrow('section can only be used once');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
  test('the key is not changed, and an update makes the item that is not there', () => {
    expect(() => db.update('SET pk = :v', { ':v': { S: 'b' } })).toThrow('This attribute is part of the key');
    expect(db.update('SET n = :v', { ':v': { N: '1' } })).toEqual({ ...key('a'), n: { N: '1' } });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
  test('an update that only removes does not make an item', () => {
    expect(db.update('REMOVE a')).toBeUndefined();
    expect(db.get('a')).toBeUndefined();
    expect(db.records()).toEqual([]);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
  test('ReturnValues tells the old or new attributes, all or those that were updated', () => {
    db.put('a', { n: { N: '1' }, other: { S: 'x' } });
    const returned = (ReturnValues: string) =>
      db.call('UpdateItem', {
        Key: key('a'),
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ReturnValues,
      }).Attributes;
    expect(returned('UPDATED_OLD')).toEqual({ n: { N: '1' } });
    expect(returned('UPDATED_NEW')).toEqual({ n: { N: '3' } });
    expect(returned('ALL_OLD')).toMatchObject({ n: { N: '3' }, other: { S: 'x' } });
    expect(returned('NONE')).toBeUndefined();
  });
});
