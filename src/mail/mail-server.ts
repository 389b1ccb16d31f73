import { Injectable } from '@nestjs/common';
import { createTransport, type NodemailerError } from 'nodemailer';
import { Settings } from '../config/settings';
import type { ComposedMail } from './mail-composer';
import type { Mail } from './mail.entity';

/**
 * How long each step may take: the connection with its lookup, until the server greets (which some
 * put off for those who cannot wait), and until it says anything more.
 */
const CONNECT_MS = 10_000;
const GREETING_MS = 30_000;
const SILENCE_MS = 60_000;

/** What is kept of a server's words. */
const MAX_REPLY_LENGTH = 300;

/** A mail that the server did not take. */
export class NotSent extends Error {
  override readonly name = 'NotSent';

  /**
   * @param code for logs: reply code and enhanced code, or what became of the connection
   * @param reply for whoever looks at the mail: in the server's words, if it said any
   * @param isFinal whether the same mail would be refused again
   */
  constructor(
    readonly code: string,
    readonly reply: string,
    readonly isFinal: boolean,
  ) {
    super(code);
  }
}

/** The mail server of the settings. */
@Injectable()
export class MailServer {
  private readonly transport;

  constructor(private readonly settings: Settings) {
    this.transport = createTransport({
      // Says where and by whom, and nothing else: the setting allows no options in it. nodemailer takes
      // STARTTLS where it is offered, and checks the certificate.
      url: settings.SMTP_URL,
      // Who takes the offer away would read the password.
      requireTLS: hasSecretForNetwork(settings.SMTP_URL),
      connectionTimeout: CONNECT_MS,
      dnsTimeout: CONNECT_MS,
      greetingTimeout: GREETING_MS,
      socketTimeout: SILENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /**
   * Connects, and logs in, and sends nothing.
   *
   * @throws NotSent
   */
  async greet(): Promise<void> {
    try {
      await this.transport.verify();
    } catch (error) {
      throw notSent(error as NodemailerError);
    }
  }

  /**
   * Hands a mail over. The same mail has the same Message-ID each time, so that whoever gets it twice
   * sees it once.
   *
   * @param signal aborted, the exchange ends where it is
   * @throws NotSent
   */
  async send(
    { id, createdAt }: Pick<Mail, 'id' | 'createdAt'>,
    { to, subject, text, html }: ComposedMail,
    signal: AbortSignal,
  ): Promise<void> {
    const { mailFrom, publicUrl } = this.settings;
    const host = new URL(publicUrl).hostname;
    try {
      await this.transport.sendMail({
        from: mailFrom,
        // As an object: text would be read as a list of addresses.
        to: { name: '', address: to },
        subject,
        text,
        html,
        messageId: `<${id}.${String(createdAt.getTime())}@${host}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal,
      });
    } catch (error) {
      throw notSent(error as NodemailerError);
    }
  }
}

function notSent(error: NodemailerError): NotSent {
  const { responseCode, response = '', permanent = false, command = '' } = error;
  if (responseCode === undefined) {
    const code = error.originalCode ?? error.timeoutType ?? error.code ?? error.name;
    // What nodemailer finds no address would be none the next time either.
    return new NotSent(code, code, error.code === 'EENVELOPE' && command === 'API');
  }
  const [, enhanced] = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response) ?? [];
  const code = [responseCode, enhanced].filter(Boolean).join(' ');
  // A server that does not like us is no reason to give a mail up, nor would its words be free of
  // what we have logged in with.
  const isAboutMail = /^(MAIL FROM|RCPT TO|DATA)$/.test(command);
  // Whom mails are from is for the operator to set right.
  const isFinal = isAboutMail && command !== 'MAIL FROM' && permanent;
  return new NotSent(code, isAboutMail ? withoutSecrets(response) : code, isFinal);
}

/** Whether a password would leave this machine. */
export function hasSecretForNetwork(smtpUrl: string): boolean {
  if (smtpUrl === '') return false;
  const { password, hostname } = new URL(smtpUrl);
  return password !== '' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** Some servers say what they do not like: the link, or a line with the code. What a terminal would obey is left out, too. */
function withoutSecrets(reply: string): string {
  return reply
    .replace(/(?!\s)\p{C}/gu, '')
    .replace(/https?:\S+|[\w-]{40,}|\d{4} ?\d{4}/g, '…')
    .replace(/\s+/g, ' ')
    .slice(0, MAX_REPLY_LENGTH);
}
