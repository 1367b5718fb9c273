import { formatDuration } from '@millrace/command-line';
import type { InspectionSummary } from '@millrace/dead-letters/operations';

export function age(sentAt: Date, now: Date): string {
  return formatDuration(now.getTime() - sentAt.getTime());
}

export function letterCount(count: number): string {
  return counted(count, 'letter', 'letters');
}

export function counted(count: number, one: string, several: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : several}`;
}

export function unseenText(unseen: number): string {
  return `about ${unseen.toLocaleString('en')} more could not be received: another look holds them, or letters before them in their message group do`;
}

/** Says how many letters were looked at, and how many could not be. */
export function printInspection(
  { matched, found, unseen }: InspectionSummary,
  filtering: boolean,
  queue: string,
): void {
  const matching = filtering ? ` meant, of ${found.toLocaleString('en')} looked at` : '';
  console.error(`${letterCount(matched)}${matching} in ${queue}`);
  if (unseen > 0) console.error(unseenText(unseen));
}
