/** An event of the log, without its data: what lists and trees show. Times are ISO 8601 in UTC. */
export interface LoggedEvent {
  id: string;
  /** e.g. `OrderPlaced.v1` */
  detailType: string;
  /** e.g. `millrace.orders` */
  source: string;
  /** e.g. `orders` */
  service: string;
  subject: string;
  correlationId: string;
  causationId?: string;
  /** When it happened. */
  time: string;
  /** When the log got it. */
  receivedAt: string;
}

/** All that the log keeps of an event. */
export interface StoredEvent extends LoggedEvent {
  metadata: Record<string, unknown>;
  /** Without what its contract marks as personal; absent when nothing else was in it. */
  data?: unknown;
}
