import { drain } from './drain.ts';
import { ACTION_HELP, ACTIONS, type Command, FILTER_HELP, FILTERS } from './options.ts';

export const reemit: Command = {
  usage: 'reemit <queue>',
  summary: 'puts the events back on the bus, for every consumer, through the re-emitter',
  help: `${FILTER_HELP}\n${ACTION_HELP}`,
  options: [...FILTERS, ...ACTIONS],
  run: (values, args) =>
    drain('reemit', values, args, ({ operations, lambda }, operation) => operations.reemit(operation, lambda)),
};
