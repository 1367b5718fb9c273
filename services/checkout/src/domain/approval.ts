import type { OrderSnapshot } from '@millrace/orders/events';

/** How long a person may take to answer. After it the process refuses the order. */
export const APPROVAL_SECONDS = 24 * 60 * 60;

/** Longer than any execution waits, so that an answer that comes too late can be told from one to a checkout without a request. */
const KEEP_SECONDS = 30 * 24 * 60 * 60;

/** A request for the approval of an order. Times are ISO 8601. */
export interface ApprovalRequest {
  /** Needed to give the process the answer. */
  taskToken: string;
  /** The attempt of the task. Each has a token of its own, and only that of the last one is taken. */
  attempt: number;
  requestedAt: string;
  expiresAt: string;
  decision?: Decision & { decidedAt: string };
  /** When the row may go, in seconds since 1970. */
  ttl: number;
}

/** The answer of a person. */
export interface Decision {
  approved: boolean;
  /** The subject of the person's token. */
  decidedBy: string;
}

export type ApprovalCommand =
  | { type: 'RequestApproval'; taskToken: string; attempt: number; total: OrderSnapshot['total']; now: Date }
  | { type: 'DecideApproval'; decision: Decision; now: Date };

export type ApprovalEvent =
  | { type: 'ApprovalRequested'; request: Omit<ApprovalRequest, 'decision'>; total: OrderSnapshot['total'] }
  /** A later attempt asks while the approvers look at it already. */
  | { type: 'ApprovalRenewed'; request: Omit<ApprovalRequest, 'decision'> }
  | { type: 'ApprovalDecided'; decision: Decision & { decidedAt: string } };

/**
 * A request that comes late or twice changes nothing, and neither does a second decision. A retry tells the approvers nothing new; they
 * are asked again when their answer, or the time for it, belonged to an earlier wait.
 */
export function decide(command: ApprovalCommand, approval: ApprovalRequest | undefined): readonly ApprovalEvent[] {
  const { now } = command;
  if (command.type === 'DecideApproval') {
    if (!approval || approval.decision) return [];
    return [{ type: 'ApprovalDecided', decision: { ...command.decision, decidedAt: now.toISOString() } }];
  }
  const { taskToken, attempt, total } = command;
  if (approval && approval.attempt >= attempt) return [];
  const request = {
    ...{ taskToken, attempt, requestedAt: now.toISOString() },
    expiresAt: new Date(now.getTime() + APPROVAL_SECONDS * 1000).toISOString(),
    ttl: Math.floor(now.getTime() / 1000) + KEEP_SECONDS,
  };
  const isKnown = approval !== undefined && !approval.decision && Date.parse(approval.expiresAt) > now.getTime();
  return [isKnown ? { type: 'ApprovalRenewed', request } : { type: 'ApprovalRequested', request, total }];
}

export function evolve(approval: ApprovalRequest | undefined, event: ApprovalEvent): ApprovalRequest {
  if (event.type === 'ApprovalDecided') return { ...(approval as ApprovalRequest), decision: event.decision };
  return event.request;
}
