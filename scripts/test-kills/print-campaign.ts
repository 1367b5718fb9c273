import { type CampaignOptions, type CampaignResult, removeData } from '../../test/kills/campaign.ts';

/**
 * Runs a campaign and prints how it goes and ends.
 * @param troubles what its times are, e.g. `kills`
 * @returns the exit code
 */
export async function printCampaign(
  troubles: string,
  run: (options: CampaignOptions) => Promise<CampaignResult>,
  options: Pick<CampaignOptions, 'times' | 'seed'>,
): Promise<number> {
  const { times, seed } = options;
  console.log(`seed ${seed}`);
  const result = await run({ ...options, onProgress: (line) => console.log(line) });
  const { orders, partnerOrders, violations, seconds, dataDirectory } = result;
  for (const violation of violations) console.error(`NOT AS IT MUST BE: ${violation}`);
  const summary = `${times} ${troubles}, ${orders} orders (${partnerOrders} of a partner), ${seconds.toFixed(0)} s`;
  console.log(`seed ${seed}, ${summary}: ${violations.length} violations`);
  if (violations.length === 0) await removeData(result);
  else console.error(`The data are kept in ${dataDirectory}`);
  return violations.length === 0 ? 0 : 1;
}
