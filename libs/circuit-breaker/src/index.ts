export { CircuitBreaker, type ProviderCalls } from './circuit-breaker.ts';
export { type CircuitStore, InMemoryCircuitStore } from './circuit-store.ts';
export { DynamoDbCircuitStore } from './dynamodb-circuit-store.ts';
export { circuitSettingsFromEnvironment } from './settings.ts';
