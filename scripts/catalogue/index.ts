import { jsonText, readArguments, runCommand } from '@millrace/command-line';
import { catalogueProblems, findWorkspaceRoot, readCatalogue } from '@millrace/workspace/catalogue';

const HELP = `Lists every event with its producer and its consumers, read from the contracts and the templates.

Usage: npm run catalogue -- [--json | --check]

  --json   the whole catalogue as JSON, with the JSON Schema of each event
  --check  print only what is wrong, and exit with 1 when anything is
  --help   this text`;

async function main(): Promise<number> {
  const { json, check, help } = readArguments({
    options: { json: { type: 'boolean' }, check: { type: 'boolean' }, help: { type: 'boolean' } },
  }).values;
  if (help) {
    console.log(HELP);
    return 0;
  }

  const entries = await readCatalogue(findWorkspaceRoot(import.meta.dirname));
  const problems = catalogueProblems(entries);

  if (json) {
    const documents = entries.map(({ contract, ...entry }) => ({
      ...entry,
      summary: contract?.summary,
      service: contract?.service,
      source: contract?.source,
      category: contract?.category,
      type: contract?.type,
      dataSensitivity: contract?.dataSensitivity,
      personalFields: contract?.personalFields,
      analytics: contract?.analytics && {
        fields: contract.analytics.fields,
        pseudonyms: contract.analytics.pseudonyms,
        schema: contract.analytics.jsonSchema(),
        example: contract.analytics.example,
      },
      schema: contract?.jsonSchema(),
      example: contract?.example,
    }));
    console.log(jsonText(documents, 2));
  } else if (!check) {
    for (const { detailType, contract, producers, consumers, analyticsConsumers } of entries) {
      const names = (references: typeof consumers) =>
        references
          .map(({ service, function: name, as }) => `${service}.${name}${as === undefined ? '' : ` as ${as}`}`)
          .join(', ') || '–';
      console.log(`${detailType}\n  ${contract?.summary ?? 'no contract'}`);
      console.log(`  emitted by   ${names(producers)}\n  consumed by  ${names(consumers)}`);
      console.log(`  personal     ${contract?.personalFields.join(', ') || '–'}`);
      const { fields = [], pseudonyms = [] } = contract?.analytics ?? {};
      const leaving = [...fields, ...pseudonyms.map((path) => `${path} as a pseudonym`)];
      console.log(`  analytics    ${leaving.join(', ') || '–'}`);
      if (analyticsConsumers.length > 0) console.log(`  its variant  consumed by ${names(analyticsConsumers)}`);
      console.log('');
    }
  }
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return 1;
  if (check) console.log(`${entries.length} events, no problems`);
  return 0;
}

/** Runs the command; its exit code becomes that of the process. */
export const runCatalogue = () => runCommand('catalogue', main);
