import * as http from 'node:http';
import * as https from 'node:https';

/** Of an answer, so much is read. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** What is asked. */
export interface Visit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Something goes along that is for the service only: so its certificate has to be good. */
  readonly secret?: boolean;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/**
 * Sends a request on a connection of its own, and follows nobody elsewhere. By default the answer of a
 * server is read whose certificate is bad: there is more to be seen than that.
 *
 * @throws Error of Node's, with its code, when there is no answer
 */
export function visit(url: URL, what: Visit, signal: AbortSignal): Promise<Answer> {
  const { method = 'GET', headers = {}, body = '', secret = false } = what;
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, signal, rejectUnauthorized: secret };
    const request =
      url.protocol === 'https:' ? https.request(url, options) : http.request(url, options);
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const answer = (): void => {
        const { statusCode: status = 0, headers: answered } = response;
        resolve({ status, headers: answered, body: Buffer.concat(chunks).toString() });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes < MAX_ANSWER_BYTES) return;
        answer();
        response.destroy();
      });
      response.on('error', reject);
      response.on('end', answer);
    });
    request.end(body);
  });
}

/** A form as a page sends it. */
export function formVisit(fields: Record<string, string>, headers: Record<string, string>): Visit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
  };
}

/** What an answer in JSON holds; undefined where it holds none. */
export function jsonOf({ headers, body }: Answer): unknown {
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether an error has the one form that every error of the service has. */
export function isContractError(answer: Answer): boolean {
  const json = jsonOf(answer);
  return typeof json === 'object' && json !== null && 'detail' in json;
}
