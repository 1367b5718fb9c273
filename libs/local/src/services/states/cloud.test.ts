import { afterEach, describe, expect, it } from '@jest/globals';
import { type CloudFormationTemplate, loadStacks } from '@millrace/cloudformation';
import { cloudOptions, runningOf } from '../../../fixtures/cloud-under-test.ts';
import { invokeFunctions } from '../../../fixtures/states-cloud.ts';
import { ManualClock } from '../../core/clock.ts';
import { Cloud } from '../../core/cloud.ts';
import type { AwsService, Host } from '../../core/service.ts';
import { events } from '../events/index.ts';
import { inertResourceTypes } from '../inert-types.ts';
import { scheduler } from '../scheduler/index.ts';
import { startStates, states } from './index.ts';

let stack = new AsyncDisposableStack();

afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

type Resources = NonNullable<CloudFormationTemplate['Resources']>;

/** Step Functions with buses and schedules, and a queue service that records what it is sent. */
async function deploy(Resources: Resources) {
  const clock = new ManualClock(new Date('2026-06-01T00:00:00Z'));
  const warnings: string[] = [];
  const sent: unknown[] = [];
  const sqs: AwsService = {
    name: 'sqs',
    protocols: ['json'],
    resourceTypes: {},
    access: (_operation, _input, arn) => [{ action: 'sqs:SendMessage', resource: arn('sqs', 'q') }],
    start: async () => ({
      handle: undefined,
      api: ({ input }) => {
        sent.push(input.MessageBody);
        return { MessageId: '1' };
      },
      deliver: async (_arn, payload) => void sent.push(JSON.parse(payload)),
      [Symbol.asyncDispose]: async () => {},
    }),
  };
  const withoutFunctions = { ...states, start: (host: Host) => startStates(host, { invoke: invokeFunctions({}) }) };
  const options = cloudOptions({ clock, warn: (line) => warnings.push(line) });
  const cloud = stack.use(
    new Cloud([sqs, events, withoutFunctions, scheduler] as AwsService[], options, inertResourceTypes),
  );
  await cloud.start();
  const { resourceTypes } = cloud;
  const { stacks } = loadStacks([{ stackName: 'shop', template: { Resources } }], { ...options, resourceTypes });
  warnings.push(...cloud.warnings(stacks));
  await cloud.deploy(stacks);
  const { api } = runningOf(cloud, states as AwsService);
  const caller = cloud.callerOf('operator');
  const call = async (operation: string, input: object) =>
    (await api?.({ operation, input, caller } as never)) as Record<string, unknown>;
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(0);
  };
  const executions = async () => {
    const { executions: found } = await call('ListExecutions', { stateMachineArn: machineArn });
    const list = found as { executionArn: string }[];
    return Promise.all(list.map(({ executionArn }) => call('DescribeExecution', { executionArn })));
  };
  return { cloud, clock, warnings, sent, call, settle, executions };
}

/** A place in a definition that a substitution is made for. */
const place = (name: string): string => `\${${name}}`;

const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:checkout';

const role = (service: string, ...statements: object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    },
    Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
  },
});
const allow = (Action: string) => ({ Effect: 'Allow', Action, Resource: '*' });

const machine = (properties: object = {}) => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: {
    StateMachineName: 'checkout',
    RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
    Definition: { StartAt: 'A', States: { A: { Type: 'Pass', End: true } } },
    ...properties,
  },
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html */
describe('a state machine of a template', () => {
  const run = async (resource: object) => {
    const deployed = await deploy({ Role: role('states.amazonaws.com'), Checkout: resource } as Resources);
    await deployed.call('StartExecution', { stateMachineArn: machineArn, input: '{}' });
    await deployed.settle();
    return (await deployed.executions())[0];
  };

  it('is defined by an object, or by text, with what is put in for names', async () => {
    const DefinitionSubstitutions = { Word: 'he said "hi"' };
    const Definition = { StartAt: 'A', States: { A: { Type: 'Pass', Result: place('Word'), End: true } } };
    expect(await run(machine({ Definition, DefinitionSubstitutions }))).toMatchObject({
      output: JSON.stringify('he said "hi"'),
    });
    const DefinitionString = `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":${place('Number')},"End":true}}}`;
    expect(
      await run(machine({ Definition: undefined, DefinitionString, DefinitionSubstitutions: { Number: '7' } })),
    ).toMatchObject({ output: '7' });
  });

  it('that AWS would refuse is an error at the start that names the state', async () => {
    const Definition = {
      StartAt: 'A',
      States: { A: { Type: 'Task', Resource: 'arn:aws:states:::ecs:runTask.sync', End: true } },
    };
    await expect(
      deploy({ Role: role('states.amazonaws.com'), Checkout: machine({ Definition }) } as Resources),
    ).rejects.toThrow(
      "Stack shop, Resources.Checkout: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The Task state 'A' calls ecs, which is not available on this machine: arn:aws:states:::ecs:runTask.sync at /States/A/Resource'",
    );
  });

  it('must have its definition in the template', async () => {
    const DefinitionS3Location = { Bucket: 'b', Key: 'k' };
    const elsewhere = machine({ Definition: undefined, DefinitionS3Location });
    await expect(deploy({ Role: role('states.amazonaws.com'), Checkout: elsewhere } as Resources)).rejects.toThrow(
      'DefinitionS3Location is not supported',
    );
    const both = machine({ DefinitionString: '{}' });
    await expect(deploy({ Role: role('states.amazonaws.com'), Checkout: both } as Resources)).rejects.toThrow(
      'exactly one of Definition and DefinitionString',
    );
  });

  it('is warned of for a property that has no effect, by its name', async () => {
    const { warnings } = await deploy({
      Role: role('states.amazonaws.com'),
      Checkout: machine({ Colour: 'red' }),
    } as Resources);
    expect(warnings).toEqual([
      'Stack shop: Checkout: Colour of AWS::StepFunctions::StateMachine is not supported here',
    ]);
  });
});

/** https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html */
describe('an execution role', () => {
  const Resource = 'arn:aws:states:::sqs:sendMessage';
  const Definition = {
    StartAt: 'A',
    States: { A: { Type: 'Task', Resource, Parameters: { QueueUrl: 'q', MessageBody: 'hello' }, End: true } },
  };
  const run = async (Role: object) => {
    const deployed = await deploy({ Role, Checkout: machine({ Definition }) } as Resources);
    await deployed.call('StartExecution', { stateMachineArn: machineArn });
    await deployed.settle();
    return { execution: (await deployed.executions())[0], sent: deployed.sent };
  };

  it('lets a task do what it allows', async () => {
    const { execution, sent } = await run(role('states.amazonaws.com', allow('sqs:SendMessage')));
    expect([execution?.status, sent]).toEqual(['SUCCEEDED', ['hello']]);
  });

  it('fails a task that does something else, with what is missing', async () => {
    const { execution, sent } = await run(role('states.amazonaws.com', allow('sqs:ReceiveMessage')));
    expect(sent).toEqual([]);
    expect(execution).toMatchObject({
      error: 'SQS.AmazonSQSException',
      cause: expect.stringMatching(/not authorized to perform: sqs:SendMessage/),
    });
  });

  /** https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html#sync-async-iam-policies */
  it('must let a task look at the execution that it waits for', async () => {
    const inner = {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { ...machine().Properties, StateMachineName: 'inner' },
    };
    const Parameters = { StateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:inner' };
    const waits = { Type: 'Task', Resource: 'arn:aws:states:::states:startExecution.sync', Parameters, End: true };
    const nested = { StartAt: 'A', States: { A: waits } };
    const nest = async (...actions: string[]) => {
      const Role = role('states.amazonaws.com', ...actions.map(allow));
      const deployed = await deploy({ Role, Inner: inner, Checkout: machine({ Definition: nested }) } as Resources);
      await deployed.call('StartExecution', { stateMachineArn: machineArn });
      await deployed.settle();
      return (await deployed.executions())[0];
    };
    expect(await nest('states:StartExecution', 'states:DescribeExecution')).toMatchObject({ status: 'SUCCEEDED' });
    expect(await nest('states:StartExecution')).toMatchObject({
      error: 'StepFunctions.AWSStepFunctionsException',
      cause: expect.stringMatching(/not authorized to perform: states:DescribeExecution/),
    });
  });

  it('must let Step Functions assume it', async () => {
    const { execution, sent } = await run(role('lambda.amazonaws.com', allow('sqs:SendMessage')));
    expect([execution?.status, sent]).toEqual(['FAILED', []]);
  });
});

/** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
it('changes of status are events on the default bus, which rules can start other machines with', async () => {
  const rule = {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { source: ['aws.states'], detail: { status: ['SUCCEEDED'] } },
      Targets: [{ Id: 'q', Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }],
    },
  };
  const { call, settle, sent } = await deploy({
    Role: role('states.amazonaws.com'),
    Checkout: machine(),
    Rule: rule,
  } as Resources);
  const { executionArn } = await call('StartExecution', { stateMachineArn: machineArn, name: 'n', input: '{"a":1}' });
  await settle();
  expect(sent).toMatchObject([
    {
      'detail-type': 'Step Functions Execution Status Change',
      source: 'aws.states',
      resources: [executionArn],
      detail: {
        ...{ executionArn, stateMachineArn: machineArn, name: 'n', status: 'SUCCEEDED', error: null, cause: null },
        ...{ input: '{"a":1}', inputDetails: { included: true }, output: '{"a":1}', outputDetails: { included: true } },
        ...{ startDate: 1780272000000, stopDate: 1780272000000, redriveCount: 0, redriveStatus: 'NOT_REDRIVABLE' },
      },
    },
  ]);
});

describe('a target', () => {
  const starter = (service: string, action = 'states:StartExecution') => role(service, allow(action));
  const rule = {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { source: ['shop'] },
      Targets: [{ Id: 'm', Arn: machineArn, RoleArn: { 'Fn::GetAtt': ['Starter', 'Arn'] }, InputPath: '$.detail' }],
    },
  };
  const put = async (Starter: object) => {
    const deployed = await deploy({
      Role: role('states.amazonaws.com'),
      Starter,
      Checkout: machine(),
      Rule: rule,
    } as Resources);
    const { api } = runningOf(deployed.cloud, events as AwsService);
    const Entries = [{ Source: 'shop', DetailType: 'Order', Detail: '{"order":1}' }];
    await api?.({ operation: 'PutEvents', input: { Entries }, caller: deployed.cloud.callerOf('operator') } as never);
    await deployed.settle();
    return deployed.executions();
  };

  it('of a rule is started with its event, if the role of the target may', async () => {
    expect(await put(starter('events.amazonaws.com'))).toMatchObject([{ status: 'SUCCEEDED', input: '{"order":1}' }]);
    expect(await put(starter('events.amazonaws.com', 'states:StopExecution'))).toEqual([]);
  });

  it('of a schedule is started when its time has come', async () => {
    const schedule = {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        ScheduleExpression: 'at(2026-06-01T01:00:00)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: machineArn, RoleArn: { 'Fn::GetAtt': ['Starter', 'Arn'] }, Input: '{"nightly":true}' },
      },
    };
    const deployed = await deploy({
      ...{
        Role: role('states.amazonaws.com'),
        Starter: starter('scheduler.amazonaws.com'),
        Checkout: machine(),
        Nightly: schedule,
      },
    } as Resources);
    await deployed.clock.advance(3_600_000);
    await deployed.settle();
    expect(await deployed.executions()).toMatchObject([{ status: 'SUCCEEDED', input: '{"nightly":true}' }]);
  });
});
