/**
 * Checks, before anything is installed, that somebody has decided on every package that would run a script of its own while
 * it is installed: `allowScripts` in package.json allows (true) or denies (false) it by name. npm follows that list from
 * 11.16 on; what older ones would run is at least no surprise. Without dependencies, for Node 20 or later.
 *
 *   node scripts/check-install-scripts.mjs [folder of package.json and package-lock.json]
 *
 * https://docs.npmjs.com/cli/v11/commands/npm-install-scripts
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const { allowScripts = {} } = read('package.json');
const { lockfileVersion, packages } = read('package-lock.json');

/** Versions by name. npm runs `prepare` of what it clones, and the lock file does not say whether there is one. */
const scripted = new Map();
for (const [path, { name, version, hasInstallScript, resolved = '' }] of Object.entries(packages ?? {})) {
  const isInstalled = path.includes('node_modules/');
  if (isInstalled && (hasInstallScript || resolved.startsWith('git'))) {
    scripted.set(name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), version);
  }
}

const problems = [];
if (!(lockfileVersion >= 2)) {
  problems.push(`package-lock.json has version ${lockfileVersion}, which does not say who has scripts: make it anew`);
}
for (const [name, version] of scripted) {
  if (typeof allowScripts[name] === 'boolean') continue;
  problems.push(
    `${name} ${version} would run a script when it is installed. Read it, then allow or deny it by its name in ` +
      'allowScripts of package.json, and say in SECURITY.md why',
  );
}
for (const name of Object.keys(allowScripts)) {
  if (scripted.has(name)) continue;
  problems.push(`allowScripts of package.json names ${name}, and no such package has an install script: take it out`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else {
  const allowed = [...scripted.keys()].filter((name) => allowScripts[name]);
  console.log(`Install scripts: ${scripted.size} packages have one, allowed are ${allowed.join(', ') || 'none'}`);
}
