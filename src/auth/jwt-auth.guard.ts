import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { IS_PUBLIC } from '../http/public.decorator';
import { InvalidToken, NotAuthenticated } from './auth.errors';
import { bearerToken } from './jwt.strategy';

/** Stands before every route that does not say it is public. */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  constructor(private readonly reflector: Reflector) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const isPublic = this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    // Only a guard that works with observables would return one.
    return isPublic === true || ((await super.canActivate(context)) as boolean);
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
    throw bearerToken(request) === null
      ? new NotAuthenticated()
      : new InvalidToken({ cause: info });
  }
}
