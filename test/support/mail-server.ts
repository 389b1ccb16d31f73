import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { waitUntil } from './service';

/** Who may hand mails over; the operator's, and in no log. */
const USER = 'accounts';
export const SMTP_PASS = 'only-for-the-mail-server';

/** Where the page is, as mails have it. */
export const PUBLIC_URL = 'https://accounts.example.com';

/** A mail as its recipient has it. */
export interface ReceivedMail {
  /** Of the envelope. */
  readonly from: string;
  readonly to: string;
  /** By lower-case name, decoded. */
  readonly headers: ReadonlyMap<string, string>;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The first link of the text, and the token in it. */
  readonly link: string;
  readonly token: string;
  /** Digits only; empty where there is none. */
  readonly code: string;
}

/** What the server does with the mails to an address. */
interface Behaviour {
  /** Answer to the address. */
  readonly refusal?: Error & { readonly responseCode: number };
  /** Answer to the mail, which it has by then. */
  readonly verdict?: (mail: ReceivedMail) => Promise<Error | undefined>;
}

/** A real mail server on the loopback interface, which takes everything unless told otherwise. */
export class TestMailServer {
  /** Everything it has taken, oldest first. */
  readonly mails: ReceivedMail[] = [];
  private readonly behaviours = new Map<string, Behaviour>();
  private server: SMTPServer | undefined;
  private port = 0;

  private constructor(private readonly tls: boolean) {}

  /** @param tls whether it offers STARTTLS, with a certificate that nobody vouches for */
  static async start({ tls = false } = {}): Promise<TestMailServer> {
    const server = new TestMailServer(tls);
    await server.startAgain();
    return server;
  }

  /** Settings with which the service sends its mails here. */
  get environment(): Record<string, string> {
    return {
      SMTP_URL: `smtp://${USER}:${SMTP_PASS}@127.0.0.1:${String(this.port)}`,
      PUBLIC_URL,
      MAIL_FROM: 'Accounts <accounts@example.com>',
    };
  }

  /** Is down from now on. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    for (const { _socket: socket } of server.connections) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(resolve);
    });
  }

  /** Is up again, where it was. */
  async startAgain(): Promise<void> {
    this.server = new SMTPServer({
      disabledCommands: this.tls ? [] : ['STARTTLS'],
      // Nor does it say on the terminal that its certificate is for tests only.
      logger: false,
      disableReverseLookup: true,
      onAuth: ({ username, password }, _session, done) => {
        if (username === USER && password === SMTP_PASS) done(null, { user: USER });
        else done(new Error('Invalid username or password'));
      },
      onRcptTo: ({ address }, _session, done) => {
        done(this.behaviours.get(address)?.refusal);
      },
      onData: (stream, { envelope }, done) => {
        const receive = async (): Promise<Error | undefined> => {
          const [{ address: to } = { address: '' }] = envelope.rcptTo;
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
          const mail = readMail(from, to, await text(stream));
          this.mails.push(mail);
          return this.behaviours.get(to)?.verdict?.(mail);
        };
        void receive().then(done);
      },
    });
    this.server.on('error', () => undefined);
    const listener = this.server.listen(this.port, '127.0.0.1');
    await once(listener, 'listening');
    // A server that listens on a port has an address, and no path.
    this.port = (listener.address() as AddressInfo).port;
  }

  /** Answers so to whoever sends to this address: 4xx for now, 5xx for good. */
  refuse(address: string, responseCode: number, words: string): void {
    this.behaviours.set(address, { refusal: reply(responseCode, words) });
  }

  /** Refuses what is sent to this address, for good, with words that may be those of the mail. */
  refuseContent(address: string, words: (mail: ReceivedMail) => string): void {
    this.behaviours.set(address, {
      verdict: (mail) => Promise.resolve(reply(554, words(mail))),
    });
  }

  /**
   * Takes what is sent to this address, and does not say so.
   *
   * @returns what has it said
   */
  hold(address: string): () => void {
    let release = (): void => undefined;
    const held = new Promise<undefined>((resolve) => {
      release = () => {
        resolve(undefined);
      };
    });
    this.behaviours.set(address, { verdict: () => held });
    return release;
  }

  /** Takes mails to this address as all others. */
  take(address: string): void {
    this.behaviours.delete(address);
  }

  mailsTo(address: string): ReceivedMail[] {
    return this.mails.filter(({ to }) => to === address);
  }

  /**
   * The mail to an address, as soon as it is here.
   *
   * @param nth which, from 1, if there are several
   */
  async waitForMail(address: string, nth = 1): Promise<ReceivedMail> {
    await waitUntil(
      () => Promise.resolve(this.mailsTo(address).length >= nth),
      () => `Mails: ${this.mails.map(({ to, subject }) => `${to} ${subject}`).join(', ')}`,
    );
    const mail = this.mailsTo(address)[nth - 1];
    if (mail === undefined) throw new Error('It was there');
    return mail;
  }
}

function reply(responseCode: number, words: string): Error & { readonly responseCode: number } {
  return Object.assign(new Error(words), { responseCode });
}

function readMail(from: string, to: string, message: string): ReceivedMail {
  const { headers, body } = split(message);
  const [, boundary = ''] = /boundary="([^"]*)"/.exec(headers.get('content-type') ?? '') ?? [];
  const parts = new Map(
    body
      .split(`--${boundary}`)
      .slice(1, -1)
      .map((part) => split(part.replace(/^\r\n/, '')))
      .map(({ headers: of, body: encoded }) => [
        of.get('content-type')?.split(';')[0],
        decode(of.get('content-transfer-encoding'), encoded),
      ]),
  );
  const plain = parts.get('text/plain') ?? '';
  const [link = ''] = /https?:\/\/\S+/.exec(plain) ?? [];
  return {
    from,
    to,
    headers,
    subject: headers.get('subject') ?? '',
    text: plain,
    html: parts.get('text/html') ?? '',
    link,
    token: link.split('#')[1] ?? '',
    code: /^(\d{4}) (\d{4})$/m.exec(plain)?.slice(1).join('') ?? '',
  };
}

function split(message: string): { headers: Map<string, string>; body: string } {
  const [head = '', ...rest] = message.split('\r\n\r\n');
  const lines = head.replace(/\r\n(?=[ \t])/g, '').split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const [name = '', ...value] = line.split(':');
    return [name.toLowerCase(), decodeWords(value.join(':').trim())];
  });
  return { headers: new Map(headers), body: rest.join('\r\n\r\n') };
}

function decode(encoding: string | undefined, body: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  if (encoding !== 'quoted-printable') return body.replaceAll('\r\n', '\n');
  return quotedPrintable(body.replace(/=\r\n/g, '').replaceAll('\r\n', '\n'));
}

/** RFC 2047. */
function decodeWords(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([BQ])\?([^?]*)\?=/gi, (_all, kind: string, word: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString()
        : quotedPrintable(word.replaceAll('_', ' ')),
    );
}

function quotedPrintable(encoded: string): string {
  return Buffer.from(
    encoded.replace(/=([0-9A-F]{2})/gi, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  ).toString();
}
