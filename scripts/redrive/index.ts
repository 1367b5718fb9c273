import { runCommand, UsageError } from '@millrace/command-line';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { inspect } from './inspect.ts';
import { list } from './list.ts';
import { type Command, GLOBAL_HELP, readOptions } from './options.ts';
import { park } from './park.ts';
import { purge } from './purge.ts';
import { redrive } from './redrive.ts';
import { reemit } from './reemit.ts';
import { stop } from './stage.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  list,
  inspect,
  redrive,
  reemit,
  park,
  purge,
  export: exportCommand,
  import: importCommand,
};

const HELP = `What is in the dead-letter queues, why, and back with it.

Usage: npm run redrive -- <command> [options]

${Object.values(COMMANDS)
  .map(({ usage, summary }) => `  ${usage.padEnd(30)}${summary}`)
  .join('\n')}

A queue is given by its name, by its consumer (inventory.onOrderPlaced), or by a part of its name that no other has;
"parking" is the parking queue.

${GLOBAL_HELP}

Exit codes: 0 all done, 1 something was left, parked instead or failed, 2 misused, 130 interrupted.`;

async function main(): Promise<number> {
  const { values, positionals } = readOptions();
  const [name, ...args] = positionals;
  const command = name === undefined ? undefined : COMMANDS[name];
  if (name !== undefined && !command) {
    throw new UsageError(`There is no command "${name}": ${Object.keys(COMMANDS).join(', ')}`);
  }
  if (!command) {
    if (!values.help) throw new UsageError('Which command?');
    console.log(HELP);
    return 0;
  }
  if (values.help) {
    console.log(
      `${command.summary}\n\nUsage: npm run redrive -- ${command.usage} [options]\n\n${command.help}\n${GLOBAL_HELP}`,
    );
    return 0;
  }
  const strange = Object.keys(values).find(
    (option) => !['stage', 'endpoint', 'help', ...command.options].includes(option),
  );
  if (strange !== undefined) throw new UsageError(`${name} takes no --${strange}`);
  const wanted = command.usage.split(' ').slice(1);
  if (args.length < wanted.length) throw new UsageError(`${name} wants ${wanted[args.length]}`);
  if (args.length > wanted.length) throw new UsageError(`${name} does not know what "${args[wanted.length]}" is for`);
  return command.run(values, args);
}

/** Runs the command that the arguments name; its exit code becomes that of the process. */
export const runRedrive = () => runCommand('redrive', main, stop);
