export { readArguments } from './arguments.ts';
export { runCommand } from './command.ts';
export { explain } from './explain.ts';
export { type Interruption, interruptible } from './interruption.ts';
export { similarNames, squash } from './similar-names.ts';
export { UsageError } from './usage-error.ts';
export { readEndpoint, readNumber, readStage } from './values.ts';
