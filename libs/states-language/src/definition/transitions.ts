import type { Diagnostics } from './diagnostics.ts';
import { isRecoverable, type Machine, type State } from './machine.ts';

/** A place that names a state. */
interface Transition {
  readonly field: string;
  readonly target: string;
}

/** Notes targets that are not there, and states that nothing leads to. */
export function checkTransitions({ startAt, states }: Machine, location: string, diagnostics: Diagnostics): void {
  if (!states.has(startAt)) {
    diagnostics.add(`Missing 'StartAt' target: ${startAt}`, `${location}/StartAt`, 'MISSING_TRANSITION_TARGET');
    return;
  }
  const reached = new Set([startAt]);
  for (const [name, state] of states) {
    for (const { field, target } of transitionsOf(state)) {
      if (states.has(target)) reached.add(target);
      else {
        const place = `${location}/States/${name}/${field}`;
        diagnostics.add(`Missing '${field.split('/').at(-1)}' target: ${target}`, place, 'MISSING_TRANSITION_TARGET');
      }
    }
  }
  for (const name of states.keys()) {
    if (!reached.has(name))
      diagnostics.add(`State "${name}" is not reachable.`, `${location}/States/${name}`, 'MISSING_TRANSITION_TARGET');
  }
}

function transitionsOf(state: State): Transition[] {
  const transitions: Transition[] = state.next === undefined ? [] : [{ field: 'Next', target: state.next }];
  if (state.type === 'Choice') {
    for (const [index, { next }] of state.rules.entries())
      transitions.push({ field: `Choices[${index}]/Next`, target: next });
    if (state.default !== undefined) transitions.push({ field: 'Default', target: state.default });
  }
  if (isRecoverable(state)) {
    for (const [index, { next }] of state.catch.entries())
      transitions.push({ field: `Catch[${index}]/Next`, target: next });
  }
  return transitions.filter(({ target }) => target !== '');
}
