/** Something that AWS documents and a test checks. */
export interface Behaviour {
  /** Of AWS. */
  readonly page: string;
  /** The titles of the test and of the blocks around it. */
  readonly title: string;
}

interface Block {
  readonly indent: number;
  readonly page: string | undefined;
  readonly title: string;
  readonly isTest: boolean;
}

const PAGE = /https:\/\/docs\.aws\.amazon\.com\/[^\s*'"`,)]+/;

/**
 * Reads what a file of tests checks of AWS's documentation: a comment above a `describe` or a `test` names the page, which holds for
 * all tests inside. The file is formatted by Biome, so that the indentation tells what is inside of what.
 *
 * @example
 * readBehaviours(`
 * // https://docs.aws.amazon.com/sns/latest/dg/sns-fifo-topics.html
 * describe('a FIFO topic', () => {
 *   test('keeps the order of a group', () => {});
 * });
 * `); // [{ page: 'https://docs.aws.amazon.com/…', title: 'a FIFO topic: keeps the order of a group' }]
 */
export function readBehaviours(source: string): Behaviour[] {
  const lines = source.split('\n');
  const behaviours: Behaviour[] = [];
  let blocks: Block[] = [];
  let page: string | undefined;
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (/^(\/\/|\/\*|\*)/.test(text)) {
      page = PAGE.exec(text)?.[0].replace(/[.;]$/, '') ?? page;
      continue;
    }
    const [, kind, each] = /^(describe|test|it)(\.each\b.*)?[(<`]/.exec(text) ?? [];
    if (kind !== undefined) {
      const indent = line.length - line.trimStart().length;
      blocks = blocks.filter((block) => block.indent < indent);
      // What is inside of a test is code.
      if (blocks.at(-1)?.isTest) continue;
      const title = titleAt(lines, index, indent, each !== undefined);
      const block = { indent, page: page ?? blocks.at(-1)?.page, title, isTest: kind !== 'describe' };
      blocks.push(block);
      if (block.isTest && block.page !== undefined) {
        behaviours.push({ page: block.page, title: blocks.map((one) => one.title).join(': ') });
      }
    }
    page = undefined;
  }
  return behaviours;
}

/** The title of a block or a test: in its own line or the next, with `each` after the table. */
function titleAt(lines: readonly string[], start: number, indent: number, isEach: boolean): string {
  const opening = isEach ? /\)\(\s*$|\)\((?=['"`])/ : /^(?:describe|test|it)\(/;
  for (let index = start; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const isOwn = line.length - line.trimStart().length === indent;
    if (!isOwn || !opening.test(line.trim())) continue;
    const rest = `${line.slice(line.search(isEach ? opening : /\S/))} ${lines[index + 1]?.trim() ?? ''}`;
    const [, , title = ''] = /\(\s*(['"`])((?:\\.|(?!\1).)*)\1,/.exec(rest) ?? [];
    return title.replace(/\\(.)/g, '$1').replace(/%[sjiod#p]|\$[a-z]\w*/g, '…');
  }
  return '';
}
