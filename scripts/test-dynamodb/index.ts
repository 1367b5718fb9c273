import { readArguments, readEndpoint, readNumber, runCommand } from '@millrace/command-line';
import { startDynamoDbServer } from '@millrace/local/dynamodb';
import { askOver } from '../../test/dynamodb/answers.ts';
import { type Comparison, compare, type Difference } from '../../test/dynamodb/compare.ts';
import { startDynoxide } from '../../test/dynamodb/dynoxide.ts';

const HELP = `Sends the same random requests to the embedded DynamoDB and to another one, and lists where they answer differently,
with the sentence of AWS's documentation that decides it.

Usage: npm run test:dynamodb -- [options]

  --operations <number>   how many (20000)
  --seed <number>         the requests follow from it (1)
  --endpoint <url>        compare with the DynamoDB there, which must be empty (default: dynoxide, on Linux x64)
  --show <number>         requests to show of each difference (1)
  --help                  show this

Exit codes: 0 all differences are decided, 1 one is not, 2 misused.`;

const OPERATIONS = 20_000;

/** Runs the command; its exit code becomes that of the process. */
export const runTestDynamodb = () =>
  runCommand('test:dynamodb', async () => {
    const { values } = readArguments({
      options: {
        operations: { type: 'string' },
        seed: { type: 'string' },
        endpoint: { type: 'string' },
        show: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const operations = readNumber('operations', values.operations, { minimum: 1, whole: true }) ?? OPERATIONS;
    const seed = readNumber('seed', values.seed, { minimum: 0, whole: true }) ?? 1;
    const show = readNumber('show', values.show, { minimum: 0, whole: true }) ?? 1;
    const endpoint = readEndpoint(values.endpoint, 'endpoint');
    await using started = new AsyncDisposableStack();
    const ours = started.use(await startDynamoDbServer());
    const theirs = endpoint ?? started.use(await startDynoxide()).endpoint;
    const comparison = await compare(askOver(ours.endpoint), askOver(theirs), {
      seed,
      operations,
      onProgress: (done) => console.log(`${done} requests`),
    });
    print(comparison, show);
    console.log(`seed ${seed}, ${operations} requests, ${comparison.alike} answered alike`);
    const open = comparison.unknown.length;
    console.log(open === 0 ? 'All differences are decided.' : `${open} differences are not decided.`);
    return open === 0 ? 0 : 1;
  });

function print({ known, unknown }: Comparison, show: number): void {
  for (const [{ name, sentence, page }, differences] of known) {
    console.log(`\n${differences.length} × ${name}\n  AWS: “${sentence}”\n  ${page}`);
    for (const difference of differences.slice(0, show)) console.log(shown(difference));
  }
  console.log('');
  for (const difference of unknown) console.error(`NOT DECIDED\n${shown(difference)}`);
}

function shown({ number, operation: { operation, input }, ours, theirs }: Difference): string {
  const line = (value: unknown): string => JSON.stringify(value).slice(0, 600);
  return `  ${number}. ${operation} ${line(input)}\n     ours   ${line(ours)}\n     theirs ${line(theirs)}`;
}
