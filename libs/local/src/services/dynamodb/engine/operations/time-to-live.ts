import { validationError } from '../dynamodb-error.ts';
import { checkTableRequest, type EngineState, tableOf } from './request.ts';
import { timeToLiveMembers } from './request-members.ts';

interface TimeToLiveInput {
  TableName?: string;
  TimeToLiveSpecification?: { Enabled: boolean; AttributeName: string };
}

/**
 * UpdateTimeToLive. At AWS a table takes one change an hour; here as many as you like.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
 */
export function updateTimeToLive(state: EngineState, input: TimeToLiveInput): object {
  checkTableRequest(input, timeToLiveMembers);
  const table = tableOf(state, input.TableName, true);
  const { Enabled, AttributeName } = input.TimeToLiveSpecification as { Enabled: boolean; AttributeName: string };
  const { timeToLive } = table.state;
  if (Enabled === (timeToLive !== undefined)) {
    throw validationError(`TimeToLive is already ${Enabled ? 'enabled' : 'disabled'}`);
  }
  if (timeToLive !== undefined && timeToLive !== AttributeName) {
    throw validationError(`TimeToLive is active on a different AttributeName: current AttributeName is ${timeToLive}`);
  }
  table.change({ timeToLive: Enabled ? AttributeName : undefined });
  return { TimeToLiveSpecification: { Enabled, AttributeName } };
}

/** DescribeTimeToLive. */
export function describeTimeToLive(state: EngineState, input: TimeToLiveInput): object {
  checkTableRequest(input, {});
  const { timeToLive } = tableOf(state, input.TableName, true).state;
  return {
    TimeToLiveDescription: timeToLive
      ? { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLive }
      : { TimeToLiveStatus: 'DISABLED' },
  };
}
