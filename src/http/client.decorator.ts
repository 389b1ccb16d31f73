import { isIP } from 'node:net';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Logger } from 'pino';

/** Longest user agent that is kept; browsers' have some 150 characters. */
const MAX_USER_AGENT_LENGTH = 512;

/** Who sent a request, as far as anyone can know without asking who they are. */
export interface Client {
  /** Aborted when the client goes away before it has its answer. */
  readonly gone: AbortSignal;
  /** Address it came from: the peer's, or the one that a trusted proxy names (`TRUST_PROXY`). */
  readonly ip: string | null;
  /** What it calls itself. */
  readonly userAgent: string | null;
  /** In which it is written to: the one it wishes for, or else Korean. */
  readonly language: 'ko' | 'en';
  /** Log whose lines carry the id of the request. */
  readonly log: Logger;
}

/** The client of a request. */
export function clientOf(request: Request): Client {
  const controller = new AbortController();
  const { res: response } = request;
  response?.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return {
    gone: controller.signal,
    ip: addressOf(request.ip),
    userAgent: request.get('user-agent')?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
    language: request.acceptsLanguages('ko', 'en') === 'en' ? 'en' : 'ko',
    log: request.log,
  };
}

/** `clientOf` the request, as a parameter. */
export const FromClient = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  clientOf(context.switchToHttp().getRequest<Request>()),
);

/** IPv4 not as a socket has it that takes both; nothing that is no address, whoever says it is. */
function addressOf(ip = ''): string | null {
  const address = ip.replace(/^::ffff:(?=\d+\.)/, '');
  return isIP(address) === 0 ? null : address;
}
