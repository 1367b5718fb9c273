import { expect, test } from '@jest/globals';
import { removeData } from './campaign.ts';
import { runFullDisks } from './disk-full-campaign.ts';

/** `npm run test:disk-full` takes any, and twenty full disks. */
const SEED = 20_260_101;

test(`nothing that was accepted is lost or done twice when the disk is full (seed ${SEED})`, async () => {
  const result = await runFullDisks({ times: 2, seed: SEED });

  expect(result).toMatchObject({ violations: [] });
  expect(result.orders).toBeGreaterThan(3);
  await removeData(result);
}, 900_000);
