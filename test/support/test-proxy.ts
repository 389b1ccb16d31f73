import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';

/** What a proxy hands on of what a client says, for each header that it may say itself. */
type Manner = 'set' | 'append' | 'pass' | 'none';

/** How a proxy is set up. */
export interface ProxyHabits {
  readonly forwardedFor: Manner;
  readonly forwardedProto: Exclude<Manner, 'append'>;
  /** Changes a request on its way to the service. */
  readonly request: (headers: http.OutgoingHttpHeaders) => void;
  /** Changes an answer on its way to the client. */
  readonly response: (headers: http.OutgoingHttpHeaders) => void;
  /** Answers by itself, if it returns something. */
  readonly answer: (
    request: http.IncomingMessage,
  ) => { status: number; type?: string; body: string } | undefined;
  /** Under what an answer is kept, for whoever asks for the same; undefined keeps none. */
  readonly keep: (request: http.IncomingMessage) => string | undefined;
}

/** An answer of the service, for others. */
interface Kept {
  readonly status: number;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer;
}

const GOOD: ProxyHabits = {
  forwardedFor: 'set',
  forwardedProto: 'set',
  request: () => undefined,
  response: (headers) => {
    headers['strict-transport-security'] = 'max-age=31536000';
  },
  answer: () => undefined,
  keep: () => undefined,
};

/** Stands before the service, and does what a test has it do. */
export class TestProxy {
  /** Where the service is. */
  target = '';
  private habits = GOOD;
  private readonly kept = new Map<string, Kept>();

  private constructor(
    private readonly server: http.Server,
    private readonly protocol: 'http' | 'https',
  ) {
    server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
      this.handle(request, response);
    });
  }

  /** @param tls with which it ends TLS; without any, there is none */
  static async start(tls?: https.ServerOptions): Promise<TestProxy> {
    const server = tls === undefined ? http.createServer() : https.createServer(tls);
    const proxy = new TestProxy(server, tls === undefined ? 'http' : 'https');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** @param host by which it is asked */
  url(host = 'localhost'): string {
    return `${this.protocol}://${host}:${String(this.port)}`;
  }

  /** Is good in everything but this, until told otherwise. */
  behave(habits: Partial<ProxyHabits> = {}): void {
    this.habits = { ...GOOD, ...habits };
    this.kept.clear();
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    const own = this.habits.answer(request);
    if (own !== undefined) {
      request.resume();
      response.writeHead(own.status, { 'content-type': own.type ?? 'text/html' }).end(own.body);
      return;
    }
    const key = this.habits.keep(request);
    const kept = key === undefined ? undefined : this.kept.get(key);
    if (kept !== undefined) {
      request.resume();
      response.writeHead(kept.status, kept.headers).end(kept.body);
      return;
    }
    const { method, url } = request;
    const headers: http.OutgoingHttpHeaders = { ...request.headers, connection: 'close' };
    const address = request.socket.remoteAddress ?? '';
    const { forwardedFor, forwardedProto } = this.habits;
    headers['x-forwarded-for'] = handedOn(headers['x-forwarded-for'], forwardedFor, address);
    headers['x-forwarded-proto'] = handedOn(
      headers['x-forwarded-proto'],
      forwardedProto,
      this.protocol,
    );
    this.habits.request(headers);
    const onward = http.request(new URL(url ?? '/', this.target), { method, headers });
    onward.on('error', () => {
      if (!response.headersSent) response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<h1>502 Bad Gateway</h1>');
    });
    onward.on('response', (answer) => {
      const answered: http.OutgoingHttpHeaders = { ...answer.headers };
      this.habits.response(answered);
      const status = answer.statusCode ?? 500;
      response.writeHead(status, answered);
      answer.pipe(response);
      if (key !== undefined) this.keepWhole(key, status, answer);
    });
    request.pipe(onward);
  }

  private keepWhole(key: string, status: number, answer: http.IncomingMessage): void {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('end', () => {
      const body = Buffer.concat(chunks);
      const headers: http.OutgoingHttpHeaders = { ...answer.headers };
      this.kept.set(key, { status, headers, body });
    });
  }
}

/** @returns what the service hears; an empty list is no header */
function handedOn(
  said: http.OutgoingHttpHeader | undefined,
  manner: Manner,
  value: string,
): http.OutgoingHttpHeader {
  switch (manner) {
    case 'none':
      return [];
    case 'set':
      return value;
    case 'pass':
      return said ?? value;
    case 'append':
      return said === undefined ? value : `${String(said)}, ${value}`;
  }
}
