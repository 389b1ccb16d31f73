import type { RunningService } from '../support/service';
import { formOf } from '../support/token';

/** Headers that a client of the reference goes by. */
const HEADERS = ['content-type', 'www-authenticate', 'allow', 'location'];

/** What a server answers, in a form in which two can be compared. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Of JSON what it says, and of a token what it is made of; `null` for none. */
  readonly body: unknown;
}

/** What came of a request. */
export interface Outcome extends Answer {
  /** The accounts that it made, and how their hashes begin. */
  readonly stored: readonly unknown[];
}

/** Sends a request to a server. A redirect is an answer, too. */
export async function ask(
  server: RunningService,
  path: string,
  init: RequestInit,
): Promise<Answer> {
  const request = new Request(`${server.url}${path}`, { redirect: 'manual', ...init });
  // After a 500, the reference ends a connection that the next request may be on already.
  request.headers.set('connection', 'close');
  const response = await fetch(request);
  const text = await response.text();
  const headers = HEADERS.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value.replace(server.url, '')]];
  });
  return {
    status: response.status,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: bodyOf(text, response.headers.get('content-type')),
  };
}

function bodyOf(text: string, type: string | null): unknown {
  if (text === '') return null;
  if (type !== 'application/json') return text;
  return JSON.parse(text, (name, value: unknown) =>
    name === 'access_token' ? formOf(String(value)) : value,
  );
}
