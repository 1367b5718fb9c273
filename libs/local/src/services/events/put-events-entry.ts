import type { BusEvent } from './bus-event.ts';

/** An event for a bus. */
export interface AcceptedEntry {
  readonly busNameOrArn: string;
  readonly source: string;
  readonly detailType: string;
  readonly event: BusEvent;
}

export interface EntryError {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}
