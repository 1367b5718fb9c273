import { randomUUID } from 'node:crypto';
import type { Json, JsonObject } from '@millrace/states-language';
import type { Deliver } from '../../core/delivery.ts';
import { isoTime } from './engine/context.ts';
import { executionQuotas } from './engine/execution-state.ts';
import type { StoredExecution } from './execution/store.ts';

/** Events have less room than executions. */
const MAXIMUM_BYTES = executionQuotas.payloadBytes - 14_000;

/**
 * Tells the default bus that an execution has another status.
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
export async function announceStatus(
  { state, qualifiedArn }: StoredExecution,
  deliver: Deliver,
  time: number,
): Promise<void> {
  const [, , , region = '', account = ''] = state.arn.split(':');
  const input = dataOf('input', state.input, MAXIMUM_BYTES);
  const left = MAXIMUM_BYTES - Buffer.byteLength(JSON.stringify(input));
  const isVersion = qualifiedArn !== undefined && /:\d+$/.test(qualifiedArn);
  const event = {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account,
    time: `${isoTime(time).slice(0, 19)}Z`,
    region,
    resources: [state.arn],
    detail: {
      ...{ executionArn: state.arn, stateMachineArn: state.machineArn, name: state.name, status: state.status },
      ...{ startDate: state.startedAt, stopDate: state.stoppedAt },
      ...input,
      ...dataOf('output', state.output, left),
      stateMachineVersionArn: isVersion ? qualifiedArn : null,
      stateMachineAliasArn: qualifiedArn === undefined || isVersion ? null : qualifiedArn,
      ...{ redriveCount: state.redriveCount, redriveDate: state.redrivenAt },
      redriveStatus: state.status === 'RUNNING' || state.status === 'SUCCEEDED' ? 'NOT_REDRIVABLE' : 'REDRIVABLE',
      redriveStatusReason: redriveReason(state.status),
      ...{ error: state.error ?? null, cause: state.cause ?? null },
    },
  };
  const busArn = `arn:aws:events:${region}:${account}:event-bus/default`;
  await deliver(busArn, JSON.stringify(event), {
    sender: { service: 'states.amazonaws.com', sourceArn: state.machineArn },
  });
}

function dataOf(name: 'input' | 'output', value: Json | undefined, room: number): JsonObject {
  const text = value === undefined ? null : JSON.stringify(value);
  const isIncluded = text !== null && Buffer.byteLength(text) <= room;
  return { [name]: isIncluded ? text : null, [`${name}Details`]: text === null ? null : { included: isIncluded } };
}

/** In the words of DescribeExecution. */
export function redriveReason(status: string): string | null {
  if (status === 'RUNNING') return 'Execution is RUNNING and cannot be redriven';
  return status === 'SUCCEEDED' ? 'Execution is SUCCEEDED and cannot be redriven' : null;
}
