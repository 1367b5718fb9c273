import { describe, expect, it } from '@jest/globals';
import { PathError, parseJsonPath, readJsonPath } from './json-path.ts';

const shop = {
  name: 'shop',
  books: [
    { title: 'a', price: 8, tags: ['x'] },
    { title: 'b', price: 12, isbn: '1' },
    { title: "c'd", price: 20, isbn: '2', tags: ['x', 'y'] },
  ],
  'odd name': { 'a.b': 1, "it's": 2, 'back\\slash': 3 },
};

const read = (path: string) => readJsonPath(parseJsonPath(path), shop);

/** https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html */
describe('a path', () => {
  it.each([
    ['', shop],
    ['.name', 'shop'],
    ["['odd name']['a.b']", 1],
    ['["odd name"]["a.b"]', 1],
    ["['odd name']['it\\'s']", 2],
    ["['odd name']['back\\slash']", 3],
    ['.books[1].title', 'b'],
    ['.books[-1].price', 20],
    ['.books.length()', 3],
    ['.books[*].price', [8, 12, 20]],
    ['.books[*].price.sum()', 40],
    ['.books[0,2].title', ['a', "c'd"]],
    ['.books[1:].title', ['b', "c'd"]],
    ['.books[:1].title', ['a']],
    ['.books[::2].title', ['a', "c'd"]],
    ['..price', [8, 12, 20]],
    ['..tags[*]', ['x', 'x', 'y']],
    ["['name','missing']", ['shop']],
  ])('%s reads what is there', (path, expected) => {
    expect(read(path)).toEqual(expected);
  });

  it.each([
    ['(@.price < 10)', ['a']],
    ['(@.isbn)', ['b', "c'd"]],
    ['(!@.isbn)', ['a']],
    ["(@.price >= 12 && @.isbn == '1')", ['b']],
    ["(@.title == 'a' || @.price > 15)", ['a', "c'd"]],
    ["(@.title == 'c\\'d')", ["c'd"]],
    ["(@.title in ['a','b'])", ['a', 'b']],
    ['(@.title =~ /[AB]/i)', ['a', 'b']],
    ['(@.price > $.books[0].price)', ['b', "c'd"]],
  ])('with the filter ?%s leaves out what does not fit', (filter, titles) => {
    expect(read(`.books[?${filter}].title`)).toEqual(titles);
  });

  it('that may lead to several values gives an empty list if it finds no value', () => {
    expect(read('.nothing[*]')).toEqual([]);
    expect(read('.nothing.below[1:].x')).toEqual([]);
  });

  it('to one place that is not there is an error with the place as AWS writes it', () => {
    expect(() => read('.missing')).toThrow("No results for path: $['missing']");
    expect(() => read('.missing.below')).toThrow("Missing property in path $['missing']");
    expect(() => read('.books[7]')).toThrow("No results for path: $['books'][7]");
  });

  it('does not find what objects inherit', () => {
    expect(() => read('.constructor')).toThrow(PathError);
    expect(() => read('.__proto__')).toThrow(PathError);
  });

  it.each(['.', '.a.', '[', "['a", '.a[x]', '.a b', '.a.nope()'])('%s is not one', (text) => {
    expect(() => parseJsonPath(text)).toThrow();
  });
});
