import { escapeHtml } from '../mail/html';
import type { ComposedMail } from '../mail/mail-composer';
import type { MailKind, MailLanguage } from '../mail/mail.entity';
import { COMMON_WORDS, MAIL_WORDS } from './mail-words';

/** What is different in each mail of a kind. */
interface MailParts {
  /** Host of the page. */
  readonly service: string;
  readonly link: string;
  readonly code: string | undefined;
  readonly username: string | undefined;
}

/** Writes a mail, as text and as HTML that says the same and loads nothing. */
export function writeMail(
  kind: MailKind,
  language: MailLanguage,
  { service, link, code, username }: MailParts,
): Omit<ComposedMail, 'to'> {
  const fill = (words: string): string =>
    words
      .replaceAll('{service}', service)
      // A name of before may have lines, which would be lines of the mail. As a function: `$&` is a
      // name too.
      .replaceAll('{username}', () => username?.replace(/\s+/g, ' ') ?? '');
  const words = MAIL_WORDS[kind][language];
  const common = COMMON_WORDS[language];
  const hello = fill(username === undefined ? common.hello : common.helloUser);
  const codeText = code?.replace(/^(\d{4})(?=\d{4}$)/, '$1 ');
  const codeWords = words.code !== undefined && codeText !== undefined ? words.code : undefined;
  const [subject, about, noReply] = [words.subject, words.about, common.noReply].map(fill) as [
    string,
    string,
    string,
  ];
  const text = [
    hello,
    about,
    `${words.link}\n${link}`,
    codeWords && `${codeWords}\n${codeText ?? ''}`,
    words.notYou,
    noReply,
  ];
  const html = [
    paragraph(escapeHtml(hello)),
    paragraph(escapeHtml(about)),
    paragraph(escapeHtml(words.link)),
    paragraph(`<a href="${escapeHtml(link)}" style="${BUTTON}">${escapeHtml(words.button)}</a>`),
    codeWords && paragraph(escapeHtml(codeWords)),
    codeWords && `<p style="${CODE}">${codeText ?? ''}</p>`,
    paragraph(escapeHtml(words.notYou)),
    small(
      `${escapeHtml(common.orOpen)}<br><a href="${escapeHtml(link)}" style="color:#1c7ed6;word-break:break-all">${escapeHtml(link)}</a>`,
    ),
    small(escapeHtml(noReply)),
  ];
  return {
    subject,
    text: `${text.filter(Boolean).join('\n\n')}\n`,
    html: `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:24px;background:#ffffff;color:#212529;font-family:sans-serif;font-size:16px;line-height:1.6">
<div style="max-width:480px;margin:0 auto">
${html.filter(Boolean).join('\n')}
</div>
</body>
</html>
`,
  };
}

const BUTTON =
  'display:inline-block;padding:12px 20px;border-radius:6px;background:#1864ab;color:#ffffff;text-decoration:none;font-weight:bold';
const CODE = 'margin:0 0 16px;font-size:28px;font-weight:bold;letter-spacing:2px';

function paragraph(html: string): string {
  return `<p style="margin:0 0 16px">${html}</p>`;
}

function small(html: string): string {
  return `<p style="margin:0 0 16px;font-size:13px;color:#495057">${html}</p>`;
}
