export { policyWithStatement } from './bus-policy.ts';
export { DeliveryError } from './delivery.ts';
export { EventBridge, type EventBridgeOptions } from './event-bridge.ts';
export type { JsonValue } from './json-document.ts';
export { compilePattern } from './pattern.ts';
export type { RuleTarget } from './rule-target.ts';
