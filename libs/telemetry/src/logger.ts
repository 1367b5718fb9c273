import { Logger } from '@aws-lambda-powertools/logger';
import type { Metadata } from '@millrace/events';

/** The function's structured logger: JSON lines with service and level from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL. */
export const logger = new Logger();

/**
 * A logger for one event: its identity stands on every line. Only metadata is logged, never the data section, which may
 * hold personal data.
 */
export function eventLogger(parent: Logger, metadata: Metadata): Logger {
  const child = parent.createChild();
  child.appendKeys({
    event_id: metadata.id,
    event_type: `${metadata.name}.v${metadata.version}`,
    subject: metadata.subject,
    correlation_id: metadata.correlationId,
    causation_id: metadata.causationId,
    traceparent: metadata.traceparent,
  });
  return child;
}
