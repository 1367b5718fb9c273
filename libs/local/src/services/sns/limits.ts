/**
 * The quotas of SNS that the code below shares.
 * https://docs.aws.amazon.com/general/latest/gr/sns.html
 */
export const snsLimits = {
  /** A message with its attributes, and all messages of a batch together. */
  messageBytes: 262_144,
  smsLength: 1600,
  subjectLength: 100,
  batchEntries: 10,
  topicNameLength: 256,
  /** Of one page. */
  listed: 100,
  tags: 50,
  tagKeyLength: 128,
  tagValueLength: 256,
  filterPoliciesOfTopic: 200,
  filterPolicyBytes: 262_144,
  filterPolicyKeys: 5,
  filterPolicyCombinations: 150,
  policyBytes: 30_720,
  deduplicationMs: 300_000,
  /** How long a subscription can be confirmed. */
  confirmationMs: 2 * 86_400_000,
  /** All retries of a delivery over HTTP. */
  httpRetrySeconds: 3600,
} as const;
