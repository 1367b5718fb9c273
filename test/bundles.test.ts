import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { bundleSizes } from '@millrace/workspace/bundle-sizes';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { type PackagedService, packageServices } from '@millrace/workspace/packaging';

const root = join(import.meta.dirname, '..');
let services: PackagedService[];

beforeAll(async () => {
  services = await packageServices({
    directories: serviceDirectories(root),
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
  });
});

const bundles = () =>
  [...new Set(services.flatMap(({ functions }) => [...functions.values()].map((code) => code.codeDirectory)))].flatMap(
    (folder) => globSync('**/*.cjs', { cwd: folder }).map((file) => join(folder, file)),
  );

test('no function imports a module of Node while it handles its first event: that evaluates all exports of node:http', () => {
  expect(bundles().length).toBeGreaterThan(0);
  expect(bundles().filter((bundle) => /\bimport\("/.test(readFileSync(bundle, 'utf8')))).toEqual([]);
});

test('no function looks for credentials in files, in SSO or at a metadata service', () => {
  const chain = /fromSSO|fromIni|fromProcess|fromInstanceMetadata|fromTokenFile/;
  expect(bundles().filter((bundle) => chain.test(readFileSync(bundle, 'utf8')))).toEqual([]);
});

describe('a bundle, which Lambda reads and compiles at each cold start, is no larger than', () => {
  /** These have the SDK: mails, SMS, and that of durable functions. */
  const withSdk: Record<string, number> = {
    'millrace-notifications-dev-onOrderOutcome': 810,
    'millrace-notifications-dev-onStockRanLow': 810,
    'millrace-notifications-dev-onCheckoutApprovalRequested': 810,
    'millrace-notifications-dev-sendConfirmationForCheckout': 810,
    'millrace-notifications-dev-notifyCancellationForCheckout': 810,
    'millrace-checkout-dev-durableCheckout': 450,
  };
  /** In KB, by what the function's role in the design is. */
  const limitOf = (functionName: string): number => {
    if (withSdk[functionName] !== undefined) return withSdk[functionName];
    if (functionName.endsWith('-relay')) return 280; // it makes variants, so it has the contracts and with them zod
    return /-(on|project)[A-Z]\w*$/.test(functionName) ? 340 : 365;
  };

  test('280 KB for a relay, 340 KB for a consumer, 365 KB for an endpoint', () => {
    const sizes = bundleSizes(services);
    expect(sizes.length).toBeGreaterThan(20);
    expect(sizes.filter(({ functionName, bytes }) => bytes > limitOf(functionName) * 1000)).toEqual([]);
  });
});
