export { FolderError } from './core/folders.ts';
export { PortTakenError } from './core/port.ts';
export type { RefusedAccess } from './core/refusals.ts';
export type { Runtime } from './core/runtime.ts';
export { type Meter, Usage, type UsageEntry } from './core/usage.ts';
export { startRuntime } from './runtime.ts';
export { requestToken } from './services/issuer/request-token.ts';
export { type RunningIssuer, startIssuer } from './services/issuer/start-issuer.ts';
export { formatFunctionLog } from './services/lambda/function-log.ts';
