import type { Rule } from '../rule.ts';
import { busPolicy } from './bus-policy.ts';
import { consumerAlarms } from './consumer-alarms.ts';
import { maximumConcurrency, partialBatches, visibilityTimeouts } from './consumer-mappings.ts';
import { corsOrigins } from './cors-origins.ts';
import { deadLetterAlarms } from './dead-letter-alarms.ts';
import { deadLetterQueues } from './dead-letter-queues.ts';
import { durableFunctions } from './durable-functions.ts';
import { encryptionAtRest } from './encryption-at-rest.ts';
import { eventPaths } from './event-paths.ts';
import { failedExecutions } from './failed-executions.ts';
import { functionEnvironment } from './function-environment.ts';
import { functionPlatform } from './function-platform.ts';
import { functionRoles } from './function-roles.ts';
import { imports } from './imports.ts';
import { lake } from './lake.ts';
import { logRetention } from './log-retention.ts';
import { nameLengths } from './name-lengths.ts';
import { noWildcards } from './no-wildcards.ts';
import { orderProcesses } from './order-processes.ts';
import { outgoingMessages } from './outgoing-messages.ts';
import { ownEvents } from './own-events.ts';
import { permittedActions } from './permitted-actions.ts';
import { pipes } from './pipes.ts';
import { protectedTables } from './protected-tables.ts';
import { queueRetention } from './queue-retention.ts';
import { relayStreams } from './relay-streams.ts';
import { resourcePolicies } from './resource-policies.ts';
import { resourceShapes } from './resource-shapes.ts';
import { routeAuthorizers } from './route-authorizers.ts';
import { routeLimits } from './route-limits.ts';
import { rowExpiry } from './row-expiry.ts';
import { rulePatterns } from './rule-patterns.ts';
import { schedules } from './schedules.ts';
import { slotOrders } from './slot-orders.ts';
import { stackSize } from './stack-size.ts';
import { stateMachines } from './state-machines.ts';
import { streamMappings } from './stream-mappings.ts';
import { tags } from './tags.ts';
import { references, templateSections } from './template-sections.ts';
import { tlsOnly } from './tls-only.ts';

/** Everything a template has to fulfil. */
export const rules: readonly Rule[] = [
  resourceShapes,
  templateSections,
  references,
  functionRoles,
  schedules,
  permittedActions,
  functionEnvironment,
  noWildcards,
  resourcePolicies,
  busPolicy,
  ownEvents,
  outgoingMessages,
  encryptionAtRest,
  tlsOnly,
  logRetention,
  protectedTables,
  rowExpiry,
  eventPaths,
  relayStreams,
  streamMappings,
  queueRetention,
  deadLetterQueues,
  deadLetterAlarms,
  consumerAlarms,
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
  stateMachines,
  durableFunctions,
  failedExecutions,
  orderProcesses,
  slotOrders,
  pipes,
  lake,
  imports,
];
