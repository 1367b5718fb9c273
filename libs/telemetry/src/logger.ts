import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import type {
  ConstructorOptions,
  LogAttributes,
  LogItemExtraInput,
  LogItemMessage,
} from '@aws-lambda-powertools/logger/types';
import type { Metadata } from '@millrace/events';
import { shown, shownIdentifier, shownMember } from '@millrace/privacy';

/**
 * Powertools' Logger, which writes nothing personal: no marked field of an event or request that was parsed, no raw text
 * of one that was not, and of an error only what cannot quote them. See the README for what it cannot know.
 * https://docs.aws.amazon.com/powertools/typescript/latest/features/logger/
 */
export class Logger extends PowertoolsLogger {
  constructor(options: ConstructorOptions = {}) {
    super({ ...options, jsonReplacerFn: shownMember });
  }

  override createChild(options: ConstructorOptions = {}): Logger {
    return super.createChild(shown(options) as ConstructorOptions) as Logger;
  }

  override appendKeys(attributes: LogAttributes): void {
    super.appendKeys(shown(attributes) as LogAttributes);
  }

  override appendPersistentKeys(attributes: LogAttributes): void {
    super.appendPersistentKeys(shown(attributes) as LogAttributes);
  }

  protected override createLogger(options?: ConstructorOptions): Logger {
    return new Logger(options);
  }

  protected override createAndPopulateLogItem(level: number, input: LogItemMessage, extraInput: LogItemExtraInput) {
    const extra = extraInput.map((item) => shown(item instanceof Error ? { error: item } : item)) as LogItemExtraInput;
    return super.createAndPopulateLogItem(level, shown(input) as LogItemMessage, extra);
  }
}

/** The function's structured logger: JSON lines with service and level from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL. */
export const logger = new Logger();

/** A logger for one event: its identity stands on every line. */
export function eventLogger(parent: Logger, metadata: Metadata): Logger {
  const child = parent.createChild();
  child.appendKeys({
    event_id: shownIdentifier(metadata.id),
    event_type: shownIdentifier(`${metadata.name}.v${metadata.version}`),
    subject: shownIdentifier(metadata.subject),
    correlation_id: shownIdentifier(metadata.correlationId),
    ...(metadata.causationId !== undefined && { causation_id: shownIdentifier(metadata.causationId) }),
    ...(metadata.traceparent !== undefined && { traceparent: shownIdentifier(metadata.traceparent) }),
  });
  return child;
}
