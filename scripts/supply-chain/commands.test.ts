import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runScript, startScript } from '../../test/run-script.ts';
import { type Bill, expectCycloneDx } from './fixtures/cyclone-dx.ts';
import { type ShippedPackage, shippedPackages } from './shipped-packages.ts';

const root = join(import.meta.dirname, '..', '..');
let folder: string;
let shipped: ShippedPackage[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-supply-chain-'));
  // Whatever has to be packaged is packaged here, once.
  shipped = await shippedPackages(root, () => {});
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('npm run licences', () => {
  test('lists what is deployed, and all of it may be', async () => {
    const { exitCode, stdout, stderr } = await runScript('licences');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^zod +\d+\.\d+\.\d+ +MIT +.*orders/m);
    expect(stdout).toMatch(/^@aws-sdk\/client-sns +\d+\.\d+\.\d+ +Apache-2\.0 /m);
    for (const installed of ['jest', 'typescript', 'osls', '@millrace']) {
      expect(stdout).not.toMatch(new RegExp(`^${installed}`, 'm'));
    }
  });

  test('fails for a licence that is not allowed, and names package, version, licence and services', async () => {
    const allowed = join(folder, 'allowed.json');
    writeFileSync(allowed, JSON.stringify({ 'Apache-2.0': 'of the test', 'MIT-0': 'of the test' }));
    const { exitCode, stderr } = await runScript('licences', '--allowed', allowed);
    expect(stderr).toMatch(/^zod@[\d.]+ \(in .*orders.*\) has a licence that is not allowed: MIT$/m);
    expect(stderr).not.toContain('@aws-sdk');
    expect(exitCode).toBe(1);
  });

  test('is misused with exit code 2', async () => {
    const { exitCode, stderr } = await runScript('licences', '--allow', 'MIT');
    expect(stderr).toMatch(/^Unknown option '--allow'.* \(npm run licences -- --help\)$/m);
    expect(exitCode).toBe(2);
  });
});

describe('npm run sbom', () => {
  test('writes every package that ships, with purl, licence and hash', async () => {
    const output = join(folder, 'sbom.json');
    const { exitCode, stdout } = await runScript('sbom', '--output', output);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    const bill = JSON.parse(readFileSync(output, 'utf8')) as Bill;

    expect(shipped.length).toBeGreaterThan(10);
    expect(bill.components.map(({ purl }) => decodeURIComponent(purl))).toEqual(
      shipped.map(({ name, version }) => `pkg:npm/${name}@${version}`),
    );
    for (const { purl, licenses, hashes } of bill.components) {
      expect({ purl, licenses }).toEqual({ purl, licenses: [{ license: { id: expect.any(String) } }] });
      expect({ purl, hashes }).toEqual({
        purl,
        hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
      });
    }
    expectCycloneDx(bill);
  });

  test('writes to standard output unless told otherwise', async () => {
    const { stdout } = await runScript('sbom');
    expect(JSON.parse(stdout)).toMatchObject({ bomFormat: 'CycloneDX' });
  });
});

describe('npm run audit', () => {
  /** Runs it against a registry that knows of these advisories, or takes no audits. */
  async function auditWith(advisories: object | undefined, ...args: string[]) {
    let asked: string[] = [];
    const registry = createServer(async (request, response) => {
      if (request.url !== '/-/npm/v1/security/advisories/bulk') return response.writeHead(404).end('{}');
      asked = Object.keys(JSON.parse(await text(request.pipe(createGunzip()))));
      if (advisories === undefined) return response.writeHead(405).end('{}');
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(advisories));
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    const { port } = registry.address() as AddressInfo;
    const environment = {
      npm_config_registry: `http://127.0.0.1:${port}/`,
      // npm remembers advisories by their ids.
      npm_config_cache: mkdtempSync(join(folder, 'npm-')),
      npm_config_update_notifier: 'false',
    };
    const { exitCode, stdout, stderr } = await startScript('audit', args, environment).ended;
    registry.close();
    return { exitCode, stdout, stderr, asked };
  }

  const advisory = (severity: string) => ({
    zod: [
      { id: 1, url: 'https://example.com/1', title: 'Parses too much', severity, vulnerable_versions: '<99', cwe: [] },
    ],
  });

  test('asks about every package that ships, and passes over an advisory of moderate severity', async () => {
    const { exitCode, stdout, stderr, asked } = await auditWith(advisory('moderate'));
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^\d+ dependencies are pinned; \d+ packages have a hash.*\nInstall scripts: .*\nNo advisories of high or critical severity\n$/,
      ),
      stderr: '',
    });
    expect(asked).toEqual(expect.arrayContaining(shipped.map(({ name }) => name)));
    expect(asked).not.toContain('jest');
  });

  test('fails for an advisory, with the package and where to read about it', async () => {
    const { exitCode, stderr } = await auditWith(advisory('high'));
    expect(stderr).toBe('high: zod <99: Parses too much (https://example.com/1)\n');
    expect(exitCode).toBe(1);
  });

  test('says that advisories were not checked when the registry takes no audits, which is a failure only if strict', async () => {
    const stderr = expect.stringMatching(/^Advisories were NOT checked: this registry takes no audits \(405 .*\)\n$/);
    const stdout = expect.stringMatching(/^\d+ dependencies are pinned; \d+ packages have a hash/);
    expect(await auditWith(undefined)).toMatchObject({ exitCode: 0, stdout, stderr });
    expect(await auditWith(undefined, '--strict')).toMatchObject({ exitCode: 1, stdout, stderr });
  });

  test('fails for a lock file that is not in order, whatever the registry says', async () => {
    const other = mkdtempSync(join(folder, 'locked-'));
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const packages = {
      '': lock.packages[''],
      'node_modules/zod': { ...lock.packages['node_modules/zod'], integrity: undefined },
    };
    writeFileSync(join(other, 'package-lock.json'), JSON.stringify({ ...lock, packages }));
    writeFileSync(join(other, 'package.json'), JSON.stringify({ dependencies: { zod: '^4.0.0' } }));
    const { exitCode, stderr } = await auditWith(undefined, '--root', other);
    expect(stderr).toMatch(/^package-lock\.json: node_modules\/zod [\d.]+ has no SHA-512 hash: undefined$/m);
    expect(stderr).toMatch(/^package\.json: dependencies\.zod is "\^4\.0\.0", not an exact version$/m);
    expect(exitCode).toBe(1);
  });
});
