import { execFile } from 'node:child_process';

/** A vulnerability that somebody has published. */
export interface Advisory {
  /** `zod` */
  package: string;
  /** Versions that have it, as a range. */
  range: string;
  severity: string;
  title: string;
  url: string;
}

/** What the registry knows of the packages of package-lock.json. */
export type AuditResult =
  | { advisories: Advisory[] }
  /** The registry cannot be asked: many mirrors cannot. */
  | { noEndpoint: string };

/**
 * Asks the registry about everything but development dependencies, with `npm audit`.
 * @param root folder of package-lock.json
 * @param level advisories below this severity are left out, e.g. `high`
 * @throws Error when the question is answered by neither advisories nor the refusal of a registry that takes none
 * https://docs.npmjs.com/cli/v11/commands/npm-audit
 */
export async function audit(root: string, level: string): Promise<AuditResult> {
  const output = await npm(root, ['audit', '--omit=dev', `--audit-level=${level}`, '--json']);
  const { vulnerabilities, statusCode, message, error } = output;
  if (statusCode !== undefined && refusals.has(statusCode)) return { noEndpoint: message ?? String(statusCode) };
  if (vulnerabilities === undefined) throw new Error(`npm audit failed: ${message ?? error?.summary ?? 'no answer'}`);
  const from = severities.indexOf(level);
  return {
    advisories: Object.values(vulnerabilities).flatMap(({ name, via }) =>
      // A text names another vulnerable package, which has an entry of its own.
      via.flatMap((cause) => {
        if (typeof cause === 'string' || severities.indexOf(cause.severity) < from) return [];
        const { range, severity, title, url } = cause;
        return [{ package: name, range, severity, title, url }];
      }),
    ),
  };
}

const severities = ['info', 'low', 'moderate', 'high', 'critical'];

/** Not found, method not allowed, gone, not implemented. */
const refusals = new Set([404, 405, 410, 501]);

interface AuditOutput {
  vulnerabilities?: Record<string, { name: string; via: (string | Omit<Advisory, 'package'>)[] }>;
  /** Of the registry's answer, when it is an error. */
  statusCode?: number;
  message?: string;
  error?: { summary?: string };
}

function npm(cwd: string, args: string[]): Promise<AuditOutput> {
  return new Promise((resolve, reject) => {
    execFile('npm', args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (failure, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as AuditOutput);
      } catch {
        reject(new Error(`npm ${args.join(' ')} answered no JSON: ${stderr.trim() || failure?.message}`));
      }
    });
  });
}
