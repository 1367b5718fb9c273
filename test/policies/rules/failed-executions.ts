import type { Rule } from '../rule.ts';
import { at, type Entry, entriesOf, isDurable, isOnDefaultBus, isSame, list } from '../template.ts';

/**
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html
 */
export const failedExecutions: Rule = {
  name: 'failed-executions',
  why: 'an execution that stops in silence leaves an order half done',
  check(service) {
    const processes = [
      ...entriesOf(service, 'AWS::StepFunctions::StateMachine').map((each) => ({ ...each, wanted: ofMachine(each) })),
      ...entriesOf(service, 'AWS::Lambda::Function')
        .filter(isDurable)
        .map((each) => ({ ...each, wanted: ofDurableFunction(each) })),
    ];
    const rules = entriesOf(service, 'AWS::Events::Rule').filter(({ properties }) => isOnDefaultBus(properties));
    return [
      ...processes
        .filter(({ wanted }) => !rules.some((rule) => tells(rule, wanted)))
        .map(({ id }) => ({ resource: id, problem: 'no rule on the default bus tells of executions that fail' })),
      ...rules
        .filter((rule) => !processes.some(({ wanted }) => tells(rule, wanted)))
        .map(({ id }) => ({
          resource: id,
          problem: 'is on the default bus, and not the rule that tells of failed executions, without their data',
        })),
    ];
  },
};

/** The events of executions that failed, and where these name their execution. */
interface Wanted {
  pattern: object;
  executionArn: string;
}

function ofMachine({ id }: Entry): Wanted {
  return {
    pattern: {
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: { stateMachineArn: [{ Ref: id }], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
    },
    executionArn: '$.detail.executionArn',
  };
}

/** Of all versions of a function: executions end with the one that they began with. */
function ofDurableFunction({ id }: Entry): Wanted {
  return {
    pattern: {
      source: ['aws.lambda'],
      'detail-type': ['Durable Execution Status Change'],
      detail: {
        durableExecutionArn: [{ prefix: { 'Fn::Sub': `\${${id}.Arn}:` } }],
        status: ['FAILED', 'TIMED_OUT', 'STOPPED'],
      },
    },
    executionArn: '$.detail.durableExecutionArn',
  };
}

/** Which executions failed, and nothing of what they were given: that is personal. */
function tells({ properties }: Entry, { pattern, executionArn }: Wanted): boolean {
  const [target, ...others] = list(properties.Targets);
  return (
    others.length === 0 &&
    isSame(properties.EventPattern, pattern) &&
    isSame(at(target, 'InputTransformer'), {
      InputPathsMap: { executionArn, status: '$.detail.status', time: '$.time' },
      InputTemplate: '{"executionArn": <executionArn>, "status": <status>, "time": <time>}',
    })
  );
}
