import { randomUUID } from 'node:crypto';
import { parseLicence } from '../supply-chain/licence-expression.ts';
import { idOf, type ShippedPackage } from '../supply-chain/shipped-packages.ts';

/** What the bill is of, as its package.json says. */
export interface Application {
  name: string;
  version: string;
  description: string;
  license: string;
}

/**
 * Makes a software bill of materials in CycloneDX 1.6: the application with the packages that are deployed with it, their
 * licences, the hashes of their tarballs, the services they are in (property `millrace:service`), and who imports whom.
 *
 * @param known ids of licences on SPDX's list
 * @param now when it was made
 * @returns the document, for JSON
 * https://cyclonedx.org/docs/1.6/json/
 */
export function billOfMaterials(
  application: Application,
  packages: readonly ShippedPackage[],
  { known, now }: { known: ReadonlySet<string>; now: Date },
) {
  const { license, ...described } = application;
  const root = idOf(application);
  const urls = new Map(packages.map((shipped) => [idOf(shipped), packageUrl(shipped)]));
  const urlsOf = (ids: readonly string[]) => ids.flatMap((id) => urls.get(id) ?? []);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: {
      timestamp: now.toISOString(),
      lifecycles: [{ phase: 'build' }],
      component: { type: 'application', 'bom-ref': root, ...described, licenses: licences(license, known) },
    },
    components: packages.map((shipped) => {
      const [name = '', group] = shipped.name.split('/').reverse();
      return {
        type: 'library',
        'bom-ref': packageUrl(shipped),
        ...(group !== undefined && { group }),
        name,
        version: shipped.version,
        scope: 'required',
        licenses: licences(shipped.licence, known),
        purl: packageUrl(shipped),
        hashes: hashes(shipped.integrity),
        properties: shipped.services.map((value) => ({ name: 'millrace:service', value })),
      };
    }),
    dependencies: [
      { ref: root, dependsOn: urlsOf(packages.filter(({ direct }) => direct).map(idOf)) },
      ...packages.map((shipped) => ({ ref: packageUrl(shipped), dependsOn: urlsOf(shipped.dependsOn) })),
    ],
  };
}

/** https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md */
function packageUrl({ name, version }: ShippedPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** A licence that is not on the list, or that is no SPDX expression, is passed on by its name. */
function licences(licence: string | undefined, known: ReadonlySet<string>) {
  if (licence === undefined) return [];
  if (known.has(licence)) return [{ license: { id: licence } }];
  return [typeof parseLicence(licence) === 'object' ? { expression: licence } : { license: { name: licence } }];
}

/** https://www.w3.org/TR/sri/#the-integrity-attribute */
function hashes(integrity: string | undefined) {
  const names: Record<string, string> = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };
  return (integrity ?? '').split(/\s+/).flatMap((hash) => {
    const [algorithm = '', digest = ''] = hash.split(/-(.*)/);
    const alg = names[algorithm];
    return alg === undefined ? [] : [{ alg, content: Buffer.from(digest, 'base64').toString('hex') }];
  });
}
