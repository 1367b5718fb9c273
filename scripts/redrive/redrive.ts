import type { DrainSummary } from '@millrace/dead-letters/operations';
import { findWorkspaceRoot, readCatalogue } from '@millrace/workspace/catalogue';
import { drain, type Operation } from './drain.ts';
import { ACTION_HELP, ACTIONS, type Command, FILTER_HELP, FILTERS } from './options.ts';
import { type Context, stop } from './stage.ts';

export const redrive: Command = {
  usage: 'redrive <queue>',
  summary: 'sends letters back to the one queue that failed; has those of a relay emitted by it; resumes executions',
  help: `${FILTER_HELP}\n${ACTION_HELP}

A relay's letter that names positions of a stream instead of holding its event is a sweep of that time: what was stored then
and never emitted is emitted (npm run sweep).

A letter about an execution of a state machine resumes it at the state that failed. AWS allows that for 14 days. In place of one
of a durable function another one goes on at the step that failed.`,
  options: [...FILTERS, ...ACTIONS],
  run: (values, args) => drain('redrive', values, args, redriveQueue),
};

/** A relay's letters go to the relay, those about executions resume them, and all others go to the queue that failed. */
async function redriveQueue(context: Context, operation: Operation): Promise<DrainSummary> {
  const { operations, queues, events, lambda, endpoint, now } = context;
  if (operations.isExecutionQueue(operation.queue, queues.stage)) {
    return operations.redriveExecutions(operation, { states: operations.operatorStepFunctions(endpoint), lambda });
  }
  const service = operations.relayServiceOf(operation.queue, queues.stage);
  if (service === undefined) return operations.redrive(operation, operations.ruleMessageGroups(events));
  const { relayRepair } = await import('@millrace/lineage/operations');
  const catalogue = await readCatalogue(findWorkspaceRoot(import.meta.dirname));
  // As for npm run sweep: the local DynamoDB looks at its whole table for every page of a segment.
  const options = { segments: endpoint === undefined ? 4 : 1, signal: stop.signal };
  return operations.redriveRelay(operation, relayRepair(context, service, catalogue, now, options));
}
