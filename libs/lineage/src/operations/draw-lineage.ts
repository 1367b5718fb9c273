import { printable } from '@millrace/command-line';
import { shownIdentifier } from '@millrace/privacy';
import type { Lineage } from '../find-lineage.ts';
import type { LineageNode, LineageTree } from '../lineage-tree.ts';
import type { FollowedLineage } from './follow-lineage.ts';
import type { LetterReason, Whereabouts } from './whereabouts.ts';

/** A line with what stands below it. */
interface Branch {
  text: string;
  branches: Branch[];
}

/** A lineage for a terminal: its trees, with what became of each event where that is the end of it or went wrong. */
export function drawLineage({ trees }: Lineage, followed: FollowedLineage): string {
  const drawn = trees.flatMap((tree) => [
    titleOf(tree),
    ...drawBranches(tree.events.map((event) => branchOf(event, tree, followed))),
  ]);
  const strays = followed.strays.map(({ queue, event, detailType, reason }) =>
    printable(
      `✗ ${detailType ?? 'a message'}${event === undefined ? '' : ` ${event}`}, not in the log: dead in ${queue}: ${textOf(reason)}`,
    ),
  );
  const stopped = followed.stoppedExecutions.map(({ queue, name, status }) =>
    printable(`✗ the execution ${name} has stopped (${status}): npm run redrive -- inspect ${queue}`),
  );
  return [...drawn, ...strays, ...stopped].join('\n');
}

function titleOf({ correlationId, causationId, startedAt, durationMs }: LineageTree): string {
  const cause = causationId === undefined ? '' : `, caused by ${shownIdentifier(causationId)}`;
  return `${shownIdentifier(correlationId)}  ${startedAt}, for ${durationMs} ms${cause}`;
}

function branchOf(event: LineageNode, tree: LineageTree, followed: FollowedLineage): Branch {
  const { id, detailType, service, subject, time, delayMs, orphan, causationId } = event;
  const when = `+${delayMs ?? Date.parse(time) - Date.parse(tree.startedAt)} ms`.replace('+-', '-');
  const whereabouts = (followed.whereabouts.get(id) ?? []).filter(
    ({ state }) => event.events.length === 0 || state !== 'handled',
  );
  const cause = orphan ? `  (its cause ${shownIdentifier(causationId)} is not in the log)` : '';
  const [shownId, shownSubject] = [shownIdentifier(id), shownIdentifier(subject)];
  return {
    text: `${detailType}  ${service}  ${when}  ${shownId}  about ${shownSubject}${cause}`,
    branches: [
      ...whereabouts.map((each) => ({ text: printable(sentenceOf(each)), branches: [] })),
      ...event.events.map((effect) => branchOf(effect, tree, followed)),
    ],
  };
}

function sentenceOf({ consumer, state, queue, messages = 0, reason, expired }: Whereabouts): string {
  switch (state) {
    case 'dead':
      return `✗ ${consumer}: dead in ${queue}: ${reason ? textOf(reason) : ''}`;
    case 'waiting':
      return `? ${consumer}: maybe waiting in ${queue} (${messages} ${messages === 1 ? 'message' : 'messages'})`;
    case 'absent':
      return `? ${consumer}: has no queue at this stage`;
    case 'no-trace':
      return `? ${consumer}: no trace${expired ? ', and its mark would have expired' : ''}`;
    case 'handled':
      return `✓ ${consumer}: handled`;
  }
}

function textOf({ code, message, attempts, cause }: LetterReason): string {
  const times = attempts === undefined ? '' : ` after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  const before = cause === undefined ? '' : ` (it died of ${cause.code}: ${cause.message})`;
  return `${code}${times}: ${message}${before}`;
}

function drawBranches(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ text, branches: below }, index) => {
    const last = index === branches.length - 1;
    return [`${last ? '└─ ' : '├─ '}${text}`, ...drawBranches(below).map((line) => `${last ? '   ' : '│  '}${line}`)];
  });
}
