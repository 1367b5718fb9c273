import type { SnsStore } from './store/sns-store.ts';

/** A topic as a console shows it. Endpoints that are personal are not shown. */
export interface TopicSummary {
  arn: string;
  subscriptions: { protocol: string; endpoint: string; confirmed: boolean; filterPolicy: string | undefined }[];
  /** Messages that wait for their delivery. */
  waiting: number;
}

/** The topics with their subscriptions. */
export function summarizeTopics(store: SnsStore): TopicSummary[] {
  const waiting = store.database.prepare(
    `SELECT COUNT(*) AS count FROM deliveries WHERE json_extract(content, '$.topicArn') = ?`,
  );
  return store.topics().map(({ arn }) => ({
    arn,
    subscriptions: store.subscriptions(arn).map(({ protocol, endpoint, confirmedAt, attributes }) => ({
      protocol,
      endpoint: protocol.startsWith('email') || protocol === 'sms' ? '(personal)' : endpoint,
      confirmed: confirmedAt !== undefined,
      filterPolicy: attributes.FilterPolicy,
    })),
    waiting: Number(waiting.get(arn)?.count),
  }));
}
