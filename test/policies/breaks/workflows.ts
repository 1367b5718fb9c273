import { at, isDurable, isOnDefaultBus, list } from '../template.ts';
import { type Breaks, setting, type Target, typed } from './break.ts';

const isMachine = 'AWS::StepFunctions::StateMachine';
const isRuleOfDefaultBus = typed('AWS::Events::Rule', ({ properties }) => isOnDefaultBus(properties));
const tellsOfMachine = typed('AWS::Events::Rule', ({ properties }) =>
  list(at(properties.EventPattern, 'source')).includes('aws.states'),
);
const tellsOfDurableFunction = typed('AWS::Events::Rule', ({ properties }) =>
  list(at(properties.EventPattern, 'source')).includes('aws.lambda'),
);
const isDurableFunction = typed('AWS::Lambda::Function', isDurable);
const isAlias = 'AWS::Lambda::Alias';
const isRoleOfMachine = typed('AWS::IAM::Role', ({ properties }) => list(properties.Policies).some(isSteps));

function isSteps(policy: unknown): boolean {
  return at(policy, 'PolicyName') === 'steps';
}

const machineIn = ({ resources }: Target): string =>
  Object.keys(resources).find((id) => resources[id]?.Type === isMachine) ?? '';

const executionsOf = 'Policies.0.PolicyDocument.Statement.0';

/** Consumers that take steps of the choreography. */
const isStepOfChoreography = typed('AWS::Events::Rule', ({ properties }) =>
  String(JSON.stringify(properties.EventPattern)).includes('"process"'),
);

/** Consumers of orders that are picked up. */
const isForSlotOrders = typed('AWS::Events::Rule', ({ properties }) =>
  /"(slotId|reservation)"/.test(String(JSON.stringify(properties.EventPattern))),
);

export const workflows: Breaks = {
  'order-processes': [
    setting(
      'no filter',
      isStepOfChoreography,
      'EventPattern.detail',
      undefined,
      /takes the events of orders in checkout/,
    ),
    setting(
      'orders in checkout as well',
      isStepOfChoreography,
      'EventPattern.detail.data.process',
      [{ exists: false }, 'checkout'],
      /takes the events of orders in checkout/,
    ),
  ],
  'slot-orders': [
    setting('every order', isForSlotOrders, 'EventPattern.detail', undefined, /takes events without data\./),
    setting(
      'no order',
      isForSlotOrders,
      'EventPattern.detail.data',
      { none: ['x'] },
      /leaves out events that have data\./,
    ),
  ],
  'state-machines': [
    setting(
      'another definition',
      isMachine,
      'Definition.StartAt',
      'CreateShipment',
      /Definition is not that of a file/,
    ),
    setting(
      'a step without a timeout',
      isMachine,
      'Definition.States.ProcessPayment.TimeoutSeconds',
      undefined,
      /Definition/,
    ),
    setting(
      'a place of the definition that is filled with nothing',
      isMachine,
      'DefinitionSubstitutions.RefundPaymentFunctionArn',
      undefined,
      /DefinitionSubstitutions are not those of the definition/,
    ),
    setting(
      'a function of nobody',
      isMachine,
      'DefinitionSubstitutions.RefundPaymentFunctionArn',
      { 'Fn::Sub': 'arn:aws:lambda:us-east-1:999999999999:function:refund' },
      /which is not a function of this stage/,
    ),
    setting(
      'a role for everyone',
      isRoleOfMachine,
      'AssumeRolePolicyDocument.Statement.0.Principal',
      '*',
      /is not for Step Functions alone/,
      machineIn,
    ),
    setting(
      'every action',
      isRoleOfMachine,
      `${executionsOf}.Action`,
      '*',
      /does not allow to invoke its functions alone/,
      machineIn,
    ),
    setting('every function', isRoleOfMachine, `${executionsOf}.Resource`, '*', /its functions alone/, machineIn),
    setting(
      'the key for every machine',
      isRoleOfMachine,
      'Policies.0.PolicyDocument.Statement.1.Condition',
      undefined,
      /use the key of its stage for its executions/,
      machineIn,
    ),
  ],
  'durable-functions': [
    setting('no version', isAlias, 'FunctionVersion', '$LATEST', /FunctionVersion is "\$LATEST", not a version/),
    setting(
      'another function',
      isAlias,
      'FunctionName',
      { Ref: 'RequestApprovalLambdaFunction' },
      /is not of a durable function/,
    ),
    setting(
      'a version of another function',
      'AWS::Lambda::Version',
      'FunctionName',
      { Ref: 'RequestApprovalLambdaFunction' },
      /FunctionVersion is .*, not a version of its function/,
      ({ resources }) => Object.keys(resources).find((id) => resources[id]?.Type === isAlias) ?? '',
    ),
    {
      title: 'nothing to call it by',
      applies: isDurableFunction,
      change: ({ resources }) => {
        for (const [id, { Type }] of Object.entries(resources)) if (Type === isAlias) delete resources[id];
      },
      says: /has not one alias/,
    },
  ],
  'failed-executions': [
    setting(
      'failures of another machine',
      tellsOfMachine,
      'EventPattern.detail.stateMachineArn',
      ['arn'],
      /is on the default bus/,
    ),
    setting(
      'no executions that time out',
      isRuleOfDefaultBus,
      'EventPattern.detail.status',
      ['FAILED'],
      /is on the default bus/,
    ),
    setting(
      'failures of another function',
      tellsOfDurableFunction,
      'EventPattern.detail.durableExecutionArn',
      [{ prefix: 'arn' }],
      /is on the default bus/,
    ),
    setting('the whole event', isRuleOfDefaultBus, 'Targets.0.InputTransformer', undefined, /is on the default bus/),
    {
      title: 'nothing that tells of failures',
      applies: (target) => target.resource.Type === isMachine || isDurableFunction(target),
      change: ({ resources }) => {
        delete resources.FailedExecutionsRule;
        delete resources.FailedDurableExecutionsRule;
      },
      says: /no rule on the default bus tells of executions that fail/,
    },
  ],
};
