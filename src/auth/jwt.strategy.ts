import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport-jwt';
import { UserService } from '../user/user.service';
import { ALGORITHM, TokenService } from './token.service';

/** Opens a request with the token in its `Authorization` header (RFC 6750 §2.1). */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(
    private readonly tokens: TokenService,
    private readonly users: UserService,
  ) {
    super({
      jwtFromRequest: bearerToken,
      algorithms: [ALGORITHM],
      secretOrKeyProvider: (_request: Request, token: string, done) => {
        try {
          // passport-jwt hands the key on to jsonwebtoken, which takes a KeyObject; its types do not.
          done(null, tokens.keyOf(token) as unknown as Buffer);
        } catch (error) {
          done(error);
        }
      },
    });
  }

  /** Called with the payload once signature and expiry are good; `false` is a refusal. */
  async validate(payload: unknown): Promise<Express.User | false> {
    const claims = this.tokens.claimsOf(payload);
    if (claims === undefined) return false;
    const account = await this.users.findByUsername(claims.sub);
    return account === null ? false : { account, sessionId: claims.sid };
  }
}

/**
 * What a request gives as its token, however bad, or `null` if it gives none. As in the reference,
 * that is all that follows the first space of the header.
 */
export function bearerToken(request: Pick<Request, 'headers'>): string | null {
  const match = /^bearer(?: (.*))?$/is.exec(request.headers.authorization ?? '');
  return match === null ? null : (match[1] ?? '');
}
