import { createHmac } from 'node:crypto';
import { TEST_SECRET_KEY } from './service';

export const HOUR = 3600;
export const DAY = 24 * HOUR;

/** Seconds since 1970, as tokens have them. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** A token made by hand, as a stranger or the reference would. */
export function sign(
  claims: object,
  {
    key = TEST_SECRET_KEY,
    header = { alg: 'HS256', typ: 'JWT' },
    hash = 'sha256',
  }: { key?: string; header?: object; hash?: string } = {},
): string {
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
}

/** A token as the reference issues it. @param issuedAt seconds since 1970 */
export function referenceToken(username: string, issuedAt = now()): string {
  return sign({ sub: username, exp: issuedAt + DAY });
}

/** What a token says. */
export function claimsOf(token: string): Record<string, unknown> {
  const [, claims = ''] = token.split('.');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
}

/** A token as the recorded answers have it: without what is another each time. */
export function formOf(token: string): { header: unknown; claims: string[]; sub: unknown } {
  const [header = ''] = token.split('.');
  const claims = claimsOf(token);
  return {
    header: JSON.parse(Buffer.from(header, 'base64url').toString()) as unknown,
    claims: Object.keys(claims),
    sub: claims['sub'],
  };
}
