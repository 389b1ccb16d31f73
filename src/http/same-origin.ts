import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { ApiError } from '../errors/api-error';
import { logSecurity } from '../logging/security-log';

/** 403: what a cookie authorises was asked for by a page of another origin, or by nobody knows whom. */
export class CrossOrigin extends ApiError {
  override readonly name = 'CrossOrigin';

  constructor() {
    super(403, 'crossOrigin');
  }
}

/**
 * @throws CrossOrigin unless the browser says that a page of this origin sent the request: by
 *   `Sec-Fetch-Site` (Fetch Metadata), or, where it does not send that, by `Origin` (RFC 6454)
 */
export function requireSameOrigin(request: Request): void {
  const site = request.get('sec-fetch-site');
  const origin = request.get('origin');
  // HTTP/1.0 may come without Host: then nobody knows what the origin would be.
  const { host } = request as { host?: string };
  const own = host === undefined ? undefined : `${request.protocol}://${host}`;
  const isSame =
    site === undefined ? origin !== undefined && origin === own : site === 'same-origin';
  if (isSame) return;
  logSecurity(request.log, 'authz_fail');
  throw new CrossOrigin();
}

/** `requireSameOrigin` before a route that gives out a cookie. */
@Injectable()
export class SameOriginGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    requireSameOrigin(context.switchToHttp().getRequest<Request>());
    return true;
  }
}
