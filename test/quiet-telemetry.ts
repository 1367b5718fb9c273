// A test's output is its result. A test about log lines or metrics makes a Logger or Metrics of its own.
process.env.POWERTOOLS_LOG_LEVEL ??= 'SILENT';
process.env.POWERTOOLS_METRICS_DISABLED ??= 'true';
