import { parseCookie } from 'cookie';
import type { CookieOptions, Request, Response } from 'express';

const NAME = 'session';

/**
 * Under TLS, the cookie has the prefix with which no other host and no plain HTTP can set it
 * (RFC 6265bis §4.1.3.2); without TLS, browsers take no cookie of that name.
 */
function cookieName(request: Request): string {
  return request.secure ? `__Host-${NAME}` : NAME;
}

function attributes(request: Request): CookieOptions {
  return { httpOnly: true, sameSite: 'strict', secure: request.secure, path: '/' };
}

/** The token that a browser sends along by itself. */
export function sessionCookie(request: Request): string | undefined {
  const { cookie } = request.headers;
  return cookie === undefined ? undefined : parseCookie(cookie)[cookieName(request)];
}

/** Gives a browser its token, where no script can read it, for as long as the token is good. */
export function setSessionCookie(response: Response, token: string, seconds: number): void {
  const { req: request } = response;
  response.cookie(cookieName(request), token, { ...attributes(request), maxAge: seconds * 1000 });
}

/** Takes it away again. */
export function clearSessionCookie(response: Response): void {
  const { req: request } = response;
  response.clearCookie(cookieName(request), attributes(request));
}
