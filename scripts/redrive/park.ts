import { drain } from './drain.ts';
import { ACTION_HELP, ACTIONS, type Command, FILTER_HELP, FILTERS } from './options.ts';

export const park: Command = {
  usage: 'park <queue>',
  summary: 'puts letters aside, into the parking queue; redrive brings them back',
  help: `  --message <text>       why\n${FILTER_HELP}\n${ACTION_HELP}`,
  options: [...FILTERS, ...ACTIONS, 'message'],
  run: (values, args) =>
    drain('park', values, args, ({ operations }, operation) => operations.park(operation, values.message)),
};
