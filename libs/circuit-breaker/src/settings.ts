import { ConfigurationError, variableFrom } from '@millrace/errors';
import type { CircuitSettings } from './circuit.ts';

const FAILURE_RATE = 0.5;
const WINDOW_MS = 60_000;
const LEASE_MS = 30_000;

/**
 * The settings of the stage: MILLRACE_CIRCUIT_MINIMUM_CALLS and MILLRACE_CIRCUIT_OPEN_SECONDS. The others are the same
 * everywhere: half of the calls of one to two minutes have failed, and a probe has 30 seconds.
 *
 * @throws ConfigurationError when one is missing or is not a whole number in its range
 * @example circuitSettingsFromEnvironment({ MILLRACE_CIRCUIT_MINIMUM_CALLS: '4', MILLRACE_CIRCUIT_OPEN_SECONDS: '30' });
 */
export function circuitSettingsFromEnvironment(variables: NodeJS.ProcessEnv = process.env): CircuitSettings {
  const whole = (name: string, maximum: number) => {
    const expectation = `a whole number from 1 to ${maximum}`;
    const number = Number(variableFrom(name, expectation, variables));
    if (!Number.isInteger(number) || number < 1 || number > maximum) throw new ConfigurationError(name, expectation);
    return number;
  };
  return {
    failureRate: FAILURE_RATE,
    minimumCalls: whole('MILLRACE_CIRCUIT_MINIMUM_CALLS', 1_000),
    windowMs: WINDOW_MS,
    openMs: whole('MILLRACE_CIRCUIT_OPEN_SECONDS', 300) * 1000,
    leaseMs: LEASE_MS,
  };
}
