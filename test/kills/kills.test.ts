import { expect, test } from '@jest/globals';
import { removeData } from './campaign.ts';
import { runKills } from './kill-campaign.ts';

/** `npm run test:kills` takes any, and twenty kills. */
const SEED = 20_260_101;

test(`nothing that was accepted is lost or done twice when the local cloud is killed three times (seed ${SEED})`, async () => {
  const result = await runKills({ times: 3, seed: SEED });

  expect(result).toMatchObject({ violations: [] });
  expect(result.orders).toBeGreaterThan(3);
  expect(result.partnerOrders).toBeGreaterThan(1);
  await removeData(result);
}, 900_000);
