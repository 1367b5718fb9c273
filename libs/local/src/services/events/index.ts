export { policyWithStatement } from './bus-policy.ts';
export { DeliveryError } from './deliveries.ts';
export { EventBridge, type EventBridgeOptions } from './event-bridge.ts';
export type { RuleTarget } from './rule-target.ts';
