import * as http from 'node:http';
import * as https from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** What a request is made of, beside its address. */
export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A form, or text as it is. */
  readonly body?: Readonly<Record<string, string>> | string;
  readonly agent?: http.Agent;
  /** Certificate to trust. */
  readonly ca?: string;
}

/**
 * Sends a request as no browser would: nothing is followed, repeated or kept.
 *
 * @throws Error when there is no answer, with a code such as ECONNRESET
 */
export async function send(
  url: string,
  { method, headers = {}, body, agent, ca }: RequestOptions = {},
): Promise<Answer> {
  const form = typeof body === 'object';
  const { request: open } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const request = open(url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...(form && { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
      agent: agent ?? false,
      ...(ca !== undefined && { ca }),
      timeout: 30_000,
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 30 s')));
    request.on('error', reject);
    request.on('response', (response) => {
      text(response).then((answer) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer });
      }, reject);
    });
    request.end(form ? new URLSearchParams(body).toString() : body);
  });
}

/** Sends bytes that need not be HTTP. @returns everything that comes back */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}
