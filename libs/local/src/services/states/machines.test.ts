import { describe, expect, it } from '@jest/globals';
import { roleArn, statesForEachTest } from '../../../fixtures/states-under-test.ts';

const start = statesForEachTest();

const result = (Result: unknown) =>
  JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass', Result, End: true } } });
const machine = { name: 'm', roleArn, definition: result(1) };

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html */
describe('a state machine', () => {
  it('is created once, and refused under its name with another definition', async () => {
    const { invoke } = await start();
    const created = await invoke('CreateStateMachine', machine);
    expect(await invoke('CreateStateMachine', machine)).toEqual(created);
    await expect(invoke('CreateStateMachine', { ...machine, definition: result(2) })).rejects.toMatchObject({
      code: 'StateMachineAlreadyExists',
    });
  });

  it.each([
    [{ name: 'a/b' }, 'InvalidName'],
    [{ name: 'a'.repeat(81) }, 'InvalidName'],
    [{ definition: '{}' }, 'InvalidDefinition'],
    [{ roleArn: undefined }, 'ValidationException'],
    [{ type: 'FAST' }, 'ValidationException'],
  ])('with %j is refused with %s', async (fields, code) => {
    const { invoke } = await start();
    await expect(invoke('CreateStateMachine', { ...machine, ...fields })).rejects.toMatchObject({ code });
  });

  it('is described, listed, updated and deleted', async () => {
    const { invoke } = await start();
    const { stateMachineArn } = await invoke('CreateStateMachine', machine);
    await invoke('UpdateStateMachine', { stateMachineArn, definition: result(2) });
    expect(await invoke('DescribeStateMachine', { stateMachineArn })).toMatchObject({
      ...machine,
      definition: result(2),
      status: 'ACTIVE',
      type: 'STANDARD',
    });
    expect((await invoke('ListStateMachines', {})).stateMachines).toMatchObject([{ stateMachineArn, name: 'm' }]);
    await expect(invoke('UpdateStateMachine', { stateMachineArn })).rejects.toMatchObject({
      code: 'MissingRequiredParameter',
    });
    await invoke('DeleteStateMachine', { stateMachineArn });
    await invoke('DeleteStateMachine', { stateMachineArn });
    await expect(invoke('DescribeStateMachine', { stateMachineArn })).rejects.toMatchObject({
      code: 'StateMachineDoesNotExist',
    });
  });

  it('has tags', async () => {
    const { invoke } = await start();
    const { stateMachineArn: resourceArn } = await invoke('CreateStateMachine', {
      ...machine,
      tags: [{ key: 'a', value: '1' }],
    });
    await invoke('TagResource', { resourceArn, tags: [{ key: 'b', value: '2' }] });
    await invoke('UntagResource', { resourceArn, tagKeys: ['a'] });
    expect(await invoke('ListTagsForResource', { resourceArn })).toEqual({ tags: [{ key: 'b', value: '2' }] });
  });
});

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html */
it('ValidateStateMachineDefinition tells what is wrong, each with its place', async () => {
  const { invoke } = await start();
  expect(await invoke('ValidateStateMachineDefinition', { definition: result(1) })).toEqual({
    result: 'OK',
    diagnostics: [],
    truncated: false,
  });
  const definition = JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass' }, B: { Type: 'Task' } } });
  expect(await invoke('ValidateStateMachineDefinition', { definition, maxResults: 1 })).toEqual({
    result: 'FAIL',
    diagnostics: [
      {
        severity: 'ERROR',
        code: 'SCHEMA_VALIDATION_FAILED',
        message: 'One of these fields is required: [Next, End]',
        location: '/States/A',
      },
    ],
    truncated: true,
  });
});

it('an operation that is not here is refused by its name', async () => {
  const { invoke } = await start();
  await expect(invoke('ListMapRuns', { executionArn: 'e' })).rejects.toMatchObject({
    code: 'UnknownOperationException',
    message: 'Step Functions ListMapRuns is not available on this machine',
  });
});

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html */
describe('versions and aliases', () => {
  const published = async () => {
    const states = await start();
    const { stateMachineArn, stateMachineVersionArn: one } = await states.invoke('CreateStateMachine', {
      ...machine,
      publish: true,
    });
    const updated = await states.invoke('UpdateStateMachine', {
      stateMachineArn,
      definition: result(2),
      publish: true,
    });
    const output = async (arn: string) => {
      const { executionArn } = await states.invoke('StartExecution', { stateMachineArn: arn });
      await states.settle();
      return (await states.describe(String(executionArn))).output;
    };
    return {
      ...states,
      output,
      arn: String(stateMachineArn),
      one: String(one),
      two: String(updated.stateMachineVersionArn),
    };
  };

  it('are numbered, and run what was published', async () => {
    const { arn, one, two, output, invoke } = await published();
    expect([one, two]).toEqual([`${arn}:1`, `${arn}:2`]);
    expect([await output(one), await output(two), await output(arn)]).toEqual(['1', '2', '2']);
    expect(await invoke('PublishStateMachineVersion', { stateMachineArn: arn })).toMatchObject({
      stateMachineVersionArn: two,
    });
    const { stateMachineVersions } = await invoke('ListStateMachineVersions', { stateMachineArn: arn });
    expect((stateMachineVersions as unknown as object[]).map((version) => Object.values(version)[0])).toEqual([
      two,
      one,
    ]);
  });

  it('route executions by weight', async () => {
    const { arn, one, two, output, invoke } = await published();
    const routes = (weight: number) => [
      { stateMachineVersionArn: one, weight },
      { stateMachineVersionArn: two, weight: 100 - weight },
    ];
    const { stateMachineAliasArn } = await invoke('CreateStateMachineAlias', {
      name: 'live',
      routingConfiguration: routes(100),
    });
    expect([stateMachineAliasArn, await output(String(stateMachineAliasArn))]).toEqual([`${arn}:live`, '1']);
    await invoke('UpdateStateMachineAlias', { stateMachineAliasArn, routingConfiguration: routes(0) });
    expect(await output(String(stateMachineAliasArn))).toBe('2');
    await expect(invoke('DeleteStateMachineVersion', { stateMachineVersionArn: one })).rejects.toMatchObject({
      code: 'ConflictException',
    });
    await invoke('DeleteStateMachineAlias', { stateMachineAliasArn });
    await invoke('DeleteStateMachineVersion', { stateMachineVersionArn: one });
    await expect(output(one)).rejects.toMatchObject({ code: 'StateMachineDoesNotExist' });
  });

  it.each([
    [[{ weight: 50 }], 'ValidationException'],
    [[], 'ValidationException'],
  ])('are not routed to by %j', async (routes, code) => {
    const { one, invoke } = await published();
    const routingConfiguration = routes.map((route) => ({ stateMachineVersionArn: one, ...route }));
    await expect(invoke('CreateStateMachineAlias', { name: 'a', routingConfiguration })).rejects.toMatchObject({
      code,
    });
  });
});
