import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** Aborted when the client of a request goes away before it has its answer. */
export function clientOf(request: Request): AbortSignal {
  const controller = new AbortController();
  const { res: response } = request;
  response?.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** `clientOf` the request, as a parameter. */
export const Client = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  clientOf(context.switchToHttp().getRequest<Request>()),
);
