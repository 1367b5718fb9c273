import { expect, test } from '@jest/globals';
import { html } from './html.ts';

test('values are escaped, in text and in attributes', () => {
  const name = `<b>"Tom" & 'Jerry'</b>`;
  expect(html`<p title="${name}">${name}</p>`.source).toBe(
    '<p title="&#60;b&#62;&#34;Tom&#34; &#38; &#39;Jerry&#39;&#60;/b&#62;">&#60;b&#62;&#34;Tom&#34; &#38; &#39;Jerry&#39;&#60;/b&#62;</p>',
  );
});

test('HTML stays as it is, and lists are joined', () => {
  const items = ['a', '&'].map((item) => html`<li>${item}</li>`);
  expect(html`<ul>${items}</ul>${3}`.source).toBe('<ul><li>a</li><li>&#38;</li></ul>3');
});
