/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const lambdaDifferences: readonly string[] = [
  'Functions run in worker threads. Their code and resources come from the templates: CreateFunction, UpdateFunctionCode and whatever else is not here are refused by name.',
  'With --shared the functions of a service share a thread: memory limits have no effect, globals are common, and code that has timed out goes on.',
  'Permissions to invoke functions are accepted and have no effect.',
  'Destinations in S3 are refused.',
  'A tumbling window needs a ParallelizationFactor of 1. It ends with an invocation without records, once a read after its end has found no more; a state above 1 MB is handed over in one with isWindowTerminatedEarly.',
  "With a ParallelizationFactor, a shard's next read waits until all parts of the one before are done.",
  'A durable execution whose function fails is tried again after one second, then after twice as long each time, up to five minutes; AWS does not say how long it waits. It goes on with the code of the last start: a version of a template is always 1.',
  'The TenantId of a chained invocation is in the history, and the function does not get it.',
  'ApproximateRunningDurableExecutions and its utilization are not reported.',
];
