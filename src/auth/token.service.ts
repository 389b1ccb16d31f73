import { createHmac, type KeyObject, randomUUID, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Settings } from '../config/settings';
import { SigningKeys } from '../config/signing-keys';

export const ALGORITHM = 'HS256';

/** Life of the reference's tokens, which say when they expire and not when they were issued. */
const REFERENCE_TOKEN_SECONDS = 24 * 60 * 60;
/** Two clocks are never quite the same (RFC 7519 §4.1.4). */
const LEEWAY_SECONDS = 60;

/** What the service takes from a token whose signature and expiry are good. */
export interface AccessTokenClaims {
  /** The username. */
  readonly sub: string;
  /** The login it belongs to; the reference's tokens have none. */
  readonly sid?: string | undefined;
}

/** Issues access tokens (RFC 7519), and says which of them, and of the reference's, are good. */
@Injectable()
export class TokenService {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly settings: Settings,
  ) {}

  /** Life of a token, in seconds. */
  get expiresIn(): number {
    return this.settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60;
  }

  /** A token that speaks for an account, and belongs to a login of its own. */
  issue(username: string): string {
    return this.jwt.sign(
      { sub: username, sid: randomUUID(), jti: randomUUID() },
      { algorithm: ALGORITHM, expiresIn: this.expiresIn },
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
   * The claims of a verified payload, or `undefined` if they are not what a token of ours or of
   * the reference has. An `exp` is a must: jsonwebtoken takes a token without one to live for ever.
   * An `aud` is none of ours: such a token is meant for somebody else (RFC 7519 §4.1.3).
   */
  claimsOf(payload: unknown, now = Date.now() / 1000): AccessTokenClaims | undefined {
    if (typeof payload !== 'object' || payload === null) return undefined;
    const { sub, exp, iat, sid, aud } = payload as Record<string, unknown>;
    if (typeof sub !== 'string' || typeof exp !== 'number' || aud !== undefined) return undefined;
    if (iat === undefined) {
      if (exp > now + REFERENCE_TOKEN_SECONDS + LEEWAY_SECONDS) return undefined;
      return { sub };
    }
    if (typeof iat !== 'number' || (sid !== undefined && typeof sid !== 'string')) return undefined;
    return { sub, sid };
  }
}
