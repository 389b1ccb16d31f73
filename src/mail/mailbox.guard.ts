import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import ipaddr from 'ipaddr.js';
import { ApiError } from '../errors/api-error';

/** By these it is asked for on this machine: any other name may be somebody's who points it here. */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
/** What a proxy adds, whose clients are elsewhere. */
const FORWARDED = /^(forwarded|x-forwarded-.+|x-real-ip|via)$/;

/** Lets in who sits at this machine, and no page of another site that they have open; else 404. */
export class MailboxGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (isLocal(request) && !isOfAnotherSite(request)) return true;
    throw new ApiError(404, 'notFound');
  }
}

function isLocal({ socket: { remoteAddress = '' }, headers }: Request): boolean {
  return (
    ipaddr.isValid(remoteAddress) &&
    ipaddr.process(remoteAddress).range() === 'loopback' &&
    LOCAL_HOST.test(headers.host ?? '') &&
    !Object.keys(headers).some((name) => FORWARDED.test(name))
  );
}

/** Browsers say so of a script and of an embedded page; who follows a link from there may see it. */
function isOfAnotherSite(request: Request): boolean {
  const site = request.get('sec-fetch-site') ?? 'none';
  return !['none', 'same-origin'].includes(site) && request.get('sec-fetch-dest') !== 'document';
}
