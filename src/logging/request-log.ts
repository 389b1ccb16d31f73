import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** An id from a client is repeated in the log: only if it cannot be mistaken for anything else. */
const REQUEST_ID = /^[\w.-]{1,64}$/;

/** The template that a request's path matches, such as `/user/sessions/:id`; undefined for none. */
export function routeOf(request: Request): string | undefined {
  // Express types it as anything.
  return (request.route as { path?: string } | undefined)?.path;
}

/** What a request was answered; 499, as nginx has it, when the client has gone before its answer. */
export function statusOf(response: Response): number {
  return response.writableFinished ? response.statusCode : 499;
}

/**
 * One line a request: its id (answered as `X-Request-Id`), method, route, status, duration, and
 * the ids of account and login. The route is a template: in a path and a query, anything can stand.
 */
export function requestLog(logger: Logger): RequestHandler {
  const line = (request: Request, response: Response, { ms }: { ms: number }): object => ({
    method: request.method,
    route: routeOf(request),
    status: statusOf(response),
    ms,
    account: request.user?.account.id,
    session: request.user?.sessionId,
  });
  return pinoHttp<Request, Response>({
    logger,
    genReqId(request, response) {
      const given = request.get('x-request-id');
      const id = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
      response.set('X-Request-Id', id);
      return id;
    },
    // The whole request would be written out for a logger that nobody uses.
    wrapSerializers: false,
    serializers: { req: () => undefined },
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'request', responseTime: 'ms' },
    customSuccessObject: line,
    customSuccessMessage: () => 'request',
    customErrorObject: (request, response, _error, value: { ms: number }) =>
      line(request, response, value),
    customErrorMessage: () => 'request',
  });
}
