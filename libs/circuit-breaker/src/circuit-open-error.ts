import { UnavailableError } from '@millrace/errors';

/**
 * The provider was not asked, or failed while its circuit was not closed. It is an `UnavailableError`, so a consumer defers
 * the message without counting an attempt.
 */
export class CircuitOpenError extends UnavailableError {
  /**
   * @param untilProbeMs how long the next probe is away
   * @param openMs the probe interval: messages that wait spread over it
   */
  constructor(circuit: string, untilProbeMs: number, openMs: number, options?: ErrorOptions) {
    super('CIRCUIT_OPEN', `The circuit of ${circuit} is open: the provider has failed and is asked again later`, {
      ...options,
      wait: { afterSeconds: untilProbeMs / 1000, spreadSeconds: openMs / 1000 },
    });
  }
}
