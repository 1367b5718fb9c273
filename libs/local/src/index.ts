export type { AlarmChange } from './cloudwatch/alarm-notification.ts';
export { formatFunctionLog } from './function-log.ts';
export type { FunctionLogLine } from './lambda/function-pool.ts';
export type { CapturedMessage } from './messages.ts';
export { packageServices } from './package-services.ts';
export { PortTakenError } from './port.ts';
export { type Runtime, type RuntimeOptions, startRuntime } from './runtime.ts';
export { type Meter, Usage, type UsageEntry } from './usage/usage.ts';
