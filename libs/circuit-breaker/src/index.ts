export type { CircuitSettings } from './circuit.ts';
export { CircuitBreaker } from './circuit-breaker.ts';
export { CircuitOpenError } from './circuit-open-error.ts';
export { type CircuitStore, InMemoryCircuitStore, type StoredCircuit } from './circuit-store.ts';
export { DynamoDbCircuitStore } from './dynamodb-circuit-store.ts';
export { circuitSettingsFromEnvironment } from './settings.ts';
