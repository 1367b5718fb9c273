/** What is compared of contracts. */
interface VersionedContract {
  readonly name: string;
  readonly version: number;
  readonly service: string;
}

/** @throws Error when one contract is not the other's version before */
export function checkUpcasts(
  contract: VersionedContract,
  from: VersionedContract & { readonly detailType: string },
): void {
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
export function contractFor<Contract extends { readonly detailType: string; readonly accepts: readonly string[] }>(
  contracts: readonly Contract[],
  detailType: string,
): Contract | undefined {
  return (
    contracts.find((contract) => contract.detailType === detailType) ??
    contracts.find(({ accepts }) => accepts.includes(detailType))
  );
}
