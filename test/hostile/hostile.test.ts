import { expect, test } from '@jest/globals';
import { readCompiledWorkspace } from '../policies/compiled-workspace.ts';
import { entriesOf } from '../policies/template.ts';
import { runCampaign } from './campaign.ts';
import { attackedRoutes } from './http-inputs.ts';

/** Another one is a day's work or none: `npm run test:hostile` takes any. */
const SEED = 20_260_101;

test('every route of the templates is attacked', async () => {
  const { services } = await readCompiledWorkspace('dev');
  const routes = services.flatMap((service) =>
    entriesOf(service, 'AWS::ApiGatewayV2::Route').map(({ properties }) => String(properties.RouteKey)),
  );

  expect(Object.keys(attackedRoutes).sort()).toEqual(routes.sort());
});

test(`300 hostile inputs are all accounted for (seed ${SEED})`, async () => {
  const { violations, tally, files } = await runCampaign({ inputs: 300, seed: SEED, reemissions: 20 });

  expect({ violations: violations.map(({ what }) => what), files }).toEqual({ violations: [], files: [] });
  for (const way of ['http', 'bus', 'queue', 'partner', 'port', 'dead letters', 're-emitter']) {
    expect([way, tally.total(way)]).not.toEqual([way, 0]);
  }
}, 600_000);
