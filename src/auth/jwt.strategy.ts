import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport-jwt';
import { ReferenceTokenService } from '../session/reference-token.service';
import { SessionService } from '../session/session.service';
import { credentialOf } from './credential';
import { ALGORITHM, TokenService } from './token.service';

/** Opens a request with the token it brings. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(
    private readonly tokens: TokenService,
    private readonly sessions: SessionService,
    private readonly referenceTokens: ReferenceTokenService,
  ) {
    super({
      jwtFromRequest: (request: Request) => credentialOf(request)?.token ?? null,
      passReqToCallback: true,
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
  async validate(request: Request, payload: unknown): Promise<Express.User | false> {
    const { token = '', byCookie = false } = credentialOf(request) ?? {};
    const claims = this.tokens.claimsOf(payload, token);
    if (claims === undefined) return false;
    if ('sessionId' in claims) {
      const account = await this.sessions.accountOf(claims);
      return account !== null && { account, sessionId: claims.sessionId, byCookie };
    }
    const account = await this.referenceTokens.accountOf(claims);
    return account !== null && { account, referenceToken: claims, byCookie };
  }
}
