import {
  compileJsonPath,
  compileTemplate,
  type JsonNode,
  JsonObject,
  jsonText,
  parseJson,
} from '@millrace/event-pattern';
import type { Pipe } from './pipe.ts';

/** An event on its way through a pipe. */
export interface PipeEvent {
  /** As the source or the enrichment gave it. */
  readonly text: string;
  /** With the fields that hold JSON as text parsed; the text itself where it is not JSON. */
  readonly document: JsonNode;
}

/** Gives the text that an enrichment or a target gets for an event. */
export type InputTemplate = (event: PipeEvent) => string;

/** The fields of a source whose text may be JSON. */
const DATA_KEYS: Readonly<Record<string, { key: string; isBase64?: boolean }>> = {
  'aws:sqs': { key: 'body' },
  'aws:kinesis': { key: 'data', isBase64: true },
};

/**
 * Reads a record of a source: a body that is JSON is parsed, so that paths lead into it.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html#input-transform-implicit
 */
export function sourceEvent(record: Readonly<Record<string, unknown>>): PipeEvent {
  const text = JSON.stringify(record);
  const data = DATA_KEYS[String(record.eventSource)];
  const document = parseJson(text);
  if (!data || !(document instanceof JsonObject)) return { text, document };
  const raw = String(record[data.key]);
  const parsed = tryParse(data.isBase64 ? Buffer.from(raw, 'base64').toString() : raw);
  if (parsed === undefined) return { text, document };
  const members = document.members.map(([name, value]) => [name, name === data.key ? parsed : value] as const);
  const parts = members.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`);
  return { text, document: new JsonObject(members, `{${parts.join(',')}}`) };
}

/** Reads what an enrichment has answered: its fields are left as they are. */
export function enrichedEvent(text: string): PipeEvent {
  return { text, document: tryParse(text) ?? text };
}

/**
 * Compiles an InputTemplate; without one, events pass as they are.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 * @param now tells the time, in milliseconds since the epoch
 * @throws Error for a placeholder that is neither a path nor a reserved variable
 */
export function compileInputTemplate(
  template: string | undefined,
  { Arn, Name, Source, Enrichment, Target }: Pick<Pipe, 'Arn' | 'Name' | 'Source' | 'Enrichment' | 'Target'>,
  now: () => number,
): InputTemplate {
  if (template === undefined || template === '') return ({ text }) => text;
  const reserved: Readonly<Record<string, (event: PipeEvent) => JsonNode | undefined>> = {
    'aws.pipes.pipe-arn': () => Arn,
    'aws.pipes.pipe-name': () => Name,
    'aws.pipes.source-arn': () => Source,
    'aws.pipes.enrichment-arn': () => Enrichment,
    'aws.pipes.target-arn': () => Target,
    'aws.pipes.event.ingestion-time': () => new Date(now()).toISOString(),
    'aws.pipes.event': ({ text }) => tryParse(text) ?? text,
    'aws.pipes.event.json': ({ document }) => (document instanceof JsonObject ? document : undefined),
  };
  return compileTemplate<PipeEvent>(template, (name) => {
    if (name.startsWith('$')) {
      const read = compileJsonPath(name);
      return ({ document }) => read(document);
    }
    return Object.hasOwn(reserved, name) ? reserved[name] : undefined;
  });
}

/**
 * The value of a parameter that may be a path into the event.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html#pipes-targets-dynamic-parms
 * @throws Error for a path that leads nowhere
 */
export function parameterValue(parameter: string, { document }: PipeEvent): string {
  if (!/^\$([.[]|$)/.test(parameter)) return parameter;
  const found = compileJsonPath(parameter)(document);
  if (found === undefined) throw new Error(`The event has nothing at ${parameter}`);
  return typeof found === 'string' ? found : jsonText(found);
}

function tryParse(text: string): JsonNode | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
