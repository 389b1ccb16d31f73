import type { Request } from 'express';
import { sessionCookie } from '../http/session-cookie';

/** What a request gives to say who sends it, however bad. */
export interface Credential {
  readonly token: string;
  /** Whether a browser sent it by itself, whoever made it send the request. */
  readonly byCookie: boolean;
}

/**
 * The credential of a request: what follows the first space of an `Authorization` header, as in the
 * reference, which wins even when it is bad (RFC 6750 §2.1), or else the cookie of a browser.
 */
export function credentialOf(request: Request): Credential | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const match = /^bearer(?: (.*))?$/is.exec(authorization);
    return match === null ? undefined : { token: match[1] ?? '', byCookie: false };
  }
  const token = sessionCookie(request);
  return token === undefined ? undefined : { token, byCookie: true };
}
