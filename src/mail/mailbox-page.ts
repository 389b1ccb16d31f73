import { escapeHtml } from './html';
import type { ComposedMail } from './mail-composer';

/** A mail that was written and is not sent. */
export interface KeptMail {
  readonly createdAt: Date;
  readonly content: ComposedMail;
}

/** The page on which they are read. @param mails newest first */
export function mailboxPage(mails: readonly KeptMail[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Mailbox</title>
<style>
  :root { color-scheme: light dark }
  body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif }
  article { margin: 1.5rem 0; padding: 1rem; border: 1px solid; border-radius: .5rem }
  h2 { margin: 0; font-size: 1.125rem }
  pre { margin: 0; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>Mailbox</h1>
<p>There is no mail server (SMTP_URL): this is what would have been sent. Reload the page for more.</p>
${mails.length === 0 ? '<p>Nothing yet.</p>' : mails.map(articleOf).join('\n')}
</body>
</html>
`;
}

function articleOf({ createdAt, content: { to, subject, text } }: KeptMail): string {
  const time = createdAt.toISOString();
  return `<article>
<h2>${escapeHtml(subject)}</h2>
<p>To ${escapeHtml(to)}, <time datetime="${time}">${time}</time></p>
<pre>${withLinks(escapeHtml(text))}</pre>
</article>`;
}

/** @param html whose addresses are text */
function withLinks(html: string): string {
  return html.replace(/https?:\/\/\S+/g, '<a href="$&" rel="noreferrer">$&</a>');
}
