import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { IF_ANY, IS_PUBLIC } from '../http/public.decorator';
import { requireSameOrigin } from '../http/same-origin';
import { logSecurity } from '../logging/security-log';
import { InvalidToken, NotAuthenticated } from './auth.errors';
import { credentialOf } from './credential';

/** RFC 9110 §9.2.1, as far as there are routes for them. */
const SAFE_METHODS = ['GET', 'HEAD'];

/** Stands before every route that does not say it is public. */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  constructor(private readonly reflector: Reflector) {
    super();
  }

  /** @throws CrossOrigin when a cookie would authorise a write that another page may have sent */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const isPublic = this.reflector.getAllAndOverride<true | typeof IF_ANY | undefined>(IS_PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (isPublic === true) return true;
    const request = context.switchToHttp().getRequest<Request>();
    if (isPublic === IF_ANY && credentialOf(request) === undefined) return true;
    if (!SAFE_METHODS.includes(request.method) && credentialOf(request)?.byCookie === true) {
      requireSameOrigin(request);
    }
    // Only a guard that works with observables would return one.
    return (await super.canActivate(context)) as boolean;
  }

  /** @throws NotAuthenticated without a token, InvalidToken with a bad one, or what went wrong */
  override handleRequest<T>(
    error: Error | null | undefined,
    user: T | false,
    info: unknown,
    context: ExecutionContext,
  ): T {
    if (error) throw error;
    if (user) return user;
    const request = context.switchToHttp().getRequest<Request>();
    if (credentialOf(request) === undefined) throw new NotAuthenticated();
    logSecurity(request.log, 'authn_token_invalid');
    throw new InvalidToken({ cause: info });
  }
}
