export { type Deadline, Deadlines } from './deadlines.ts';
export { GRACE_MS, sweepOverdue } from './sweep.ts';
export { SchedulerTimers, timersFromEnvironment } from './timers.ts';
