import type { Rule } from '../rule.ts';
import { maximumConcurrency, partialBatches, visibilityTimeouts } from './consumer-mappings.ts';
import { corsOrigins } from './cors-origins.ts';
import { deadLetterAlarms } from './dead-letter-alarms.ts';
import { deadLetterQueues } from './dead-letter-queues.ts';
import { encryptionAtRest } from './encryption-at-rest.ts';
import { functionPlatform } from './function-platform.ts';
import { functionRoles } from './function-roles.ts';
import { imports } from './imports.ts';
import { logRetention } from './log-retention.ts';
import { nameLengths } from './name-lengths.ts';
import { noWildcards } from './no-wildcards.ts';
import { ownEvents } from './own-events.ts';
import { protectedTables } from './protected-tables.ts';
import { resourcePolicies } from './resource-policies.ts';
import { routeAuthorizers } from './route-authorizers.ts';
import { routeLimits } from './route-limits.ts';
import { rulePatterns } from './rule-patterns.ts';
import { stackSize } from './stack-size.ts';
import { tags } from './tags.ts';
import { tlsOnly } from './tls-only.ts';

/** Everything a template has to fulfil. */
export const rules: readonly Rule[] = [
  functionRoles,
  noWildcards,
  resourcePolicies,
  ownEvents,
  encryptionAtRest,
  tlsOnly,
  logRetention,
  protectedTables,
  deadLetterQueues,
  deadLetterAlarms,
  maximumConcurrency,
  partialBatches,
  visibilityTimeouts,
  routeAuthorizers,
  routeLimits,
  corsOrigins,
  functionPlatform,
  nameLengths,
  tags,
  stackSize,
  rulePatterns,
  imports,
];
