import type { EventContract } from './define-event.ts';

/** How a contract takes the place of the version before. */
export interface Upcasts<Old, New> {
  /** The contract of the version before: same name, same service. It may upcast as well. */
  from: EventContract<string, Old>;
  /** Leads a data section one version up. Pure: it may run for one event any number of times. */
  data: (old: Old) => New;
}

/** @throws Error when one contract is not the other's version before */
export function checkUpcasts(contract: Pick<EventContract, 'name' | 'version' | 'service'>, from: EventContract): void {
  const { name, version, service } = contract;
  if (from.name === name && from.service === service && from.version === version - 1) return;
  throw new Error(
    `${name}.v${version} of ${service} cannot upcast ${from.detailType} of ${from.service}: a contract takes the place ` +
      'of the version before, with the same name and service. Lead older ones up step by step',
  );
}

/**
 * The contract that an event is to be parsed by: that of its own version, or else the first one that upcasts it. So whoever
 * knows both versions gets each event as it was emitted.
 */
export function contractFor<Contract extends Pick<EventContract, 'detailType' | 'accepts'>>(
  contracts: readonly Contract[],
  detailType: string,
): Contract | undefined {
  return (
    contracts.find((contract) => contract.detailType === detailType) ??
    contracts.find(({ accepts }) => accepts.includes(detailType))
  );
}
