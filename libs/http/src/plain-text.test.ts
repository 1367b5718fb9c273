import { describe, expect, test } from '@jest/globals';
import { personal, redactionOf } from '@millrace/privacy/personal';
import * as z from 'zod';
import { plainText } from './plain-text.ts';

const schema = plainText(z.string().max(200));
const problems = (text: string) => schema.safeParse(text).error?.issues.map(({ message }) => message);

describe('a plain text', () => {
  test.each([
    'Ada Example',
    'Zoë Großmann-O’Neil',
    'Dr. Strange',
    'J. R. R. Tolkien',
    'Łódź, ul. Piotrkowska 1/2',
    'c/o Meier & Söhne d.o.o.',
    'Hauptstr.12',
    'مريم الأحمد',
    '山田 太郎',
    '👩 😀',
    'FLOUR-1.5KG',
  ])('may be %s', (text) => {
    expect(schema.parse(text)).toBe(text);
  });

  test.each([
    ['a line break', 'Ada\nyour account is closed'],
    ['a carriage return', 'Ada\rX'],
    ['a tab', 'Ada\tX'],
    ['NUL', 'Ada\0'],
    ['a C1 control', 'Ada\u0085X'],
    ['a line separator', 'Ada\u2028X'],
    ['a bidi override', 'Ada\u202eX'],
    ['a bidi isolate', 'Ada\u2066X'],
    ['a zero-width space', 'A\u200bda'],
    ['a byte order mark', '\ufeffAda'],
    ['a soft hyphen', 'A\u00adda'],
    ['an invisible letter', 'Ada\u3164'],
    ['a tag', 'Ada\u{e0041}'],
    ['a character of private use', 'Ada\ue000'],
  ])('has no %s', (_, text) => {
    expect(problems(text)).toEqual(['expected one line of visible characters']);
  });

  test.each([
    'http://1.2.3.4/',
    'see HTTPS://EVIL',
    'www.evil.example',
    'evil.com',
    'Win at evil.com/prize now',
    'пример.рф',
    'evil。com',
    'evil．com',
    'evil․com',
    'ｅｖｉｌ.ｃｏｍ',
    'xn--e1afmkfd.xn--p1ai',
    'ada@evil.com',
    'mailto:ada@evil.com',
  ])('has no web address such as %s', (text) => {
    expect(problems(text)).toEqual(['expected no web address: put a space after a full stop']);
  });

  test('stays optional, and personal', () => {
    const body = z.object({ name: plainText(personal(z.string()).optional()), note: plainText(personal(z.string())) });

    expect(body.safeParse({ note: 'x' }).success).toBe(true);
    expect(['name', 'note'].map((field) => redactionOf(body).member(field)?.hides)).toEqual([true, true]);
  });
});
