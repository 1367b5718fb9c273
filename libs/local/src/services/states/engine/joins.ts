import type { Json, MapState, ParallelState } from '@millrace/states-language';
import { executionQuotas, newThread, type Thread } from './execution-state.ts';
import type { Progress, Run } from './run.ts';

/** Starts all branches of a Parallel state. */
export async function startParallel(run: Run, thread: Thread, state: ParallelState): Promise<Progress> {
  const input = await state.flow.prepare(run.scopeOf(thread));
  run.emit(thread, ['ParallelStateStarted']);
  thread.join = { results: state.branches.map(() => null), ended: 0, next: state.branches.length, map: null };
  thread.phase = 'joining';
  for (const [index, { startAt }] of state.branches.entries())
    addChild(run, thread, { index, item: null, state: startAt, input });
  return 'waits';
}

/** Starts as many iterations of a Map state as may run at once. */
export async function startMap(run: Run, thread: Thread, state: MapState): Promise<Progress> {
  const scope = run.scopeOf(thread);
  const input = await state.flow.prepare(scope);
  const visible = { ...scope, input };
  const maxConcurrency = await state.maxConcurrency(visible);
  // They have to be numbers, but only a distributed Map state tolerates failures.
  await state.toleratedCount?.(visible);
  await state.toleratedPercentage?.(visible);
  const items = await state.items(visible);
  run.emit(thread, ['MapStateStarted', { mapStateStartedEventDetails: { length: items.length } }]);
  thread.join = { results: items.map(() => null), ended: 0, next: 0, map: { items, input, maxConcurrency } };
  return goOnJoining(run, thread);
}

/** Starts what may be started of a Map state; ends a state whose branches or iterations have all ended. */
export async function goOnJoining(run: Run, thread: Thread): Promise<Progress> {
  const { join } = thread;
  if (!join) return 'waits';
  thread.phase = 'joining';
  run.touch(thread);
  const state = run.stateOf(thread);
  if (join.ended === join.results.length) {
    run.emit(thread, [`${state.type}StateSucceeded`]);
    return { result: join.results };
  }
  if (state.type === 'Map') await startIterations(run, thread, state);
  return 'waits';
}

async function startIterations(run: Run, thread: Thread, state: MapState): Promise<void> {
  const { join } = thread;
  if (!join?.map) return;
  const { items, input, maxConcurrency } = join.map;
  const most = Math.min(maxConcurrency || executionQuotas.inlineConcurrency, executionQuotas.inlineConcurrency);
  while (join.next < items.length && join.next - join.ended < most) {
    const index = join.next;
    const item = { Index: index, Value: items[index] as Json };
    const selected = state.selector ? await state.selector(run.scopeOf(thread, { input, item })) : item.Value;
    join.next += 1;
    run.emit(thread, ['MapIterationStarted', { mapIterationStartedEventDetails: { name: thread.state, index } }]);
    addChild(run, thread, { index, item, state: state.processor.startAt, input: selected });
  }
}

function addChild(
  run: Run,
  { id: parent, lastEventId }: Thread,
  child: Pick<Thread, 'index' | 'item' | 'state' | 'input'>,
): void {
  const { execution } = run;
  run.add(newThread({ ...child, id: execution.nextThreadId, parent, lastEventId }));
  execution.nextThreadId += 1;
}
