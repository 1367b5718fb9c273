import { spawnSync } from 'node:child_process';

/** What the packages in requirements.txt need. */
const OLDEST = [3, 11] as const;

const CANDIDATES = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];

const PROBE = `import sys
try:
    import ensurepip, venv
    able = 'yes'
except ImportError:
    able = 'no'
print(sys.version_info[0], sys.version_info[1], sys.version_info[2], able, sys.executable)`;

/**
 * The first Python on the PATH that is new enough and can make virtual environments.
 * @returns its executable and version, e.g. `3.11.7`
 * @throws Error in one line that says what is missing
 */
export function findPython(): { executable: string; version: string } {
  const found: string[] = [];
  for (const name of CANDIDATES) {
    const { status, stdout } = spawnSync(name, ['-c', PROBE], { encoding: 'utf8', timeout: 20_000 });
    if (status !== 0) continue;
    const [major = '', minor = '', patch = '', able = '', ...path] = stdout.trim().split(' ');
    const version = `${major}.${minor}.${patch}`;
    const isNew = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
    if (isNew && able === 'yes') return { executable: path.join(' '), version };
    found.push(`${name} is ${version}${isNew ? ' without the venv module (Debian: apt install python3-venv)' : ''}`);
  }
  const here = found.length > 0 ? found.join(', ') : 'there is no Python on the PATH';
  throw new Error(`npm run test:ministack needs Python ${OLDEST.join('.')} or later with its venv module: ${here}`);
}
