import { type Html, html } from './html.ts';

/** What a mail says, for readers of plain text and of HTML. */
export interface Mail {
  subject: string;
  text: string;
  html: string;
}

/** The frame of every HTML mail. */
export function mailDocument(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title></head>
<body style="font-family: sans-serif; line-height: 1.5">
${body}
</body>
</html>
`.source;
}
