import { createHmac, type KeyObject, randomUUID, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { isUUID } from 'class-validator';
import { SigningKeys } from '../config/signing-keys';
import { isStorable } from '../validation/rules';
import { REFERENCE_TOKEN_SECONDS, type ReferenceToken } from '../session/reference-token.service';
import type { SessionToken } from '../session/session.service';

export const ALGORITHM = 'HS256';

/** Issues access tokens (RFC 7519), and says which of them, and of the reference's, are good. */
@Injectable()
export class TokenService {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
  ) {}

  /**
   * A token that speaks for an account, and belongs to a login. The generation of that is in it only
   * once there was another.
   *
   * @param seconds its life
   */
  issue({ username, sessionId, generation }: SessionToken, seconds: number): string {
    return this.jwt.sign(
      {
        sub: username,
        sid: sessionId,
        jti: randomUUID(),
        ...(generation > 0 && { gen: generation }),
      },
      { algorithm: ALGORITHM, expiresIn: seconds },
    );
  }

  /**
   * The key that a token was signed with, or the current one, which then finds it forged:
   * jsonwebtoken, which verifies it, takes one key only.
   *
   * @throws Error for a token that asks for what nobody here understands (`crit`, RFC 7515 §4.1.11)
   */
  keyOf(token: string): KeyObject {
    const [header = '', payload = '', signature = ''] = token.split('.');
    if ('crit' in (JSON.parse(Buffer.from(header, 'base64url').toString()) as object)) {
      throw new Error('The token has critical extensions');
    }
    const given = Buffer.from(signature, 'base64url');
    const signedWith = (key: KeyObject): boolean => {
      const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest();
      return given.length === expected.length && timingSafeEqual(given, expected);
    };
    const { current, previous } = this.keys;
    return previous !== undefined && signedWith(previous) ? previous : current;
  }

  /**
   * What a token says whose signature and expiry are good, or `undefined` if that is not what one
   * of ours or of the reference says. An `exp` is a must: jsonwebtoken takes a token without one to
   * live for ever. An `aud` is none of ours: such a token is meant for somebody else (RFC 7519
   * §4.1.3).
   *
   * One that names no login is the reference's: good for 24 hours and no longer, and so it says with
   * its expiry when it was issued, which is not in the future.
   */
  claimsOf(
    payload: unknown,
    token: string,
    now = Date.now() / 1000,
  ): SessionToken | ReferenceToken | undefined {
    if (typeof payload !== 'object' || payload === null) return undefined;
    const { sub, exp, iat, sid, gen = 0, aud } = payload as Record<string, unknown>;
    if (typeof sub !== 'string' || typeof exp !== 'number' || aud !== undefined) return undefined;
    if (!isStorable(sub)) return undefined;
    if (sid !== undefined) {
      // Anything but a UUID names no login, and is nothing to ask a database for.
      const isOurs = isUUID(sid) && typeof iat === 'number' && isGeneration(gen);
      return isOurs ? { username: sub, sessionId: sid as string, generation: gen } : undefined;
    }
    const issuedAt = iat ?? exp - REFERENCE_TOKEN_SECONDS;
    if (typeof issuedAt !== 'number' || issuedAt < 0 || issuedAt > now) return undefined;
    if (exp > issuedAt + REFERENCE_TOKEN_SECONDS) return undefined;
    return {
      username: sub,
      issuedAt,
      expiresAt: exp,
      signed: token.slice(0, token.lastIndexOf('.')),
    };
  }
}

/** PostgreSQL's `integer`. */
function isGeneration(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}
