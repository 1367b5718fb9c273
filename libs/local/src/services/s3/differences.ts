/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const s3Differences: readonly string[] = [
  'Object Lock, SSE-C, append, rename, Select, Restore, XXHASH checksums, ACLs, access points, replication, website, inventory, analytics, metrics, logging and acceleration are refused by name.',
  'Nothing is public, and web pages of other origins cannot reach the port: a CorsConfiguration is kept and has no effect.',
  'Only presigned URLs and POST forms of functions have their signatures verified.',
  'The eventVersion of notifications is 2.1, and 2.3 for lifecycle and tags.',
  'x-amz-expiration is not sent.',
];
