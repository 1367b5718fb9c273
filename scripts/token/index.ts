import { readArguments, readEndpoint, readNumber, runCommand, UsageError } from '@millrace/command-line';
import { requestToken } from '@millrace/local/request-token';

const HELP = `Prints a token for the HTTP APIs of a running npm start, signed by its own issuer. It is worth nothing anywhere else.

Usage: npm run -s token -- --sub <subject> --scope <scopes> [options]

  --sub <subject>          whose token it is, e.g. ada
  --scope <scopes>         what it is good for, e.g. "orders:read orders:write"
  --email <address>        the verified e-mail address that the token names (none)
  --phone <number>         the verified telephone number that the token names, e.g. +4915112345678 (none)
  --expires-in <seconds>   how long it is good (3600)
  --aws-port <port>        port of the AWS APIs of npm start (4566)
  --endpoint <url>         instead of the port, e.g. http://127.0.0.1:4566
  --help                   show this

Customers have the scopes orders:read, orders:write, checkouts:read, checkouts:write, slots:read and slots:write. Staff have
stock:read, stock:write, orders:read, orders:read:all, reports:read, events:read, approvals:write, closures:write and
analytics:read. For example:

  curl http://127.0.0.1:3000/stock/MUG-1 \\
    -H "authorization: Bearer $(npm run -s token -- --sub staff-1 --scope stock:read)"

Exit codes: 0 printed, 1 failed, 2 misused.`;

const DEFAULT_PORT = '4566';

function readText(flag: string, value: string | undefined): string {
  if (value !== undefined && value.trim() !== '') return value;
  throw new UsageError(`--${flag} is missing`);
}

/** Where the AWS APIs are. */
function readOrigin(endpoint: string | undefined, awsPort: string | undefined): string {
  if (endpoint !== undefined && awsPort !== undefined)
    throw new UsageError('--endpoint and --aws-port exclude each other');
  const port = awsPort ?? DEFAULT_PORT;
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`--aws-port must be a port from 1 to 65535, not "${port}"`);
  }
  return readEndpoint(endpoint) ?? `http://127.0.0.1:${port}`;
}

/** Runs the command; its exit code becomes that of the process. */
export const runToken = () =>
  runCommand('token', async () => {
    const { values } = readArguments({
      options: {
        sub: { type: 'string' },
        scope: { type: 'string' },
        email: { type: 'string' },
        phone: { type: 'string' },
        'expires-in': { type: 'string' },
        'aws-port': { type: 'string' },
        endpoint: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const expiresIn = readNumber('expires-in', values['expires-in'], { minimum: 1, whole: true });
    const origin = readOrigin(values.endpoint, values['aws-port']);
    const token = await requestToken(`${origin}/_local/issuer`, {
      subject: readText('sub', values.sub),
      scope: readText('scope', values.scope),
      ...(values.email === undefined ? {} : { email: readText('email', values.email) }),
      ...(values.phone === undefined ? {} : { phone: readText('phone', values.phone) }),
      ...(expiresIn === undefined ? {} : { expiresIn }),
    });
    console.log(token);
    return 0;
  });
