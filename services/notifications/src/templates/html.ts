/** HTML that is safe to stand in a document. */
export class Html {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/**
 * A template literal of HTML: values are escaped, other HTML is kept, and a list stands for its members.
 * Safe in text and in quoted attributes, https://html.spec.whatwg.org/multipage/parsing.html#escapingString
 */
export function html(strings: TemplateStringsArray, ...values: (string | number | Html | Html[])[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(sourceOf)));
}

function sourceOf(value: string | number | Html | Html[]): string {
  if (value instanceof Html) return value.source;
  if (Array.isArray(value)) return value.map(sourceOf).join('');
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
