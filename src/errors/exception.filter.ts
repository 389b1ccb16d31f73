import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Request, Response } from 'express';
import { isDatabaseUnavailable, isRefusedByData } from '../database/database-errors';
import { safeError } from '../logging/safe-error';
import { ApiError, ValidationFailed } from './api-error';
import { catalogueFor, type ErrorBody, errorBody, validationBody } from './error-body';
import type { MessageName } from './messages';

/** What a status means when it comes from Nest, Express or a body parser. */
const MESSAGE_OF_STATUS: Readonly<Record<number, MessageName>> = {
  404: 'notFound',
  413: 'bodyTooLarge',
  415: 'unsupportedEncoding',
  503: 'unavailable',
};

const RETRY_AFTER_SECONDS = '1';

/**
 * Turns whatever was thrown into the one form of an error: `{"detail": ...}`, in the client's
 * language. Of an error that nobody expected, the client hears 500 and an `X-Request-Id`, and the
 * log has the rest.
 */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const catalogue = catalogueFor(request);

    let status: number;
    let body: ErrorBody;
    let headers: ApiError['headers'];
    if (exception instanceof ValidationFailed) {
      ({ status, headers } = exception);
      body = { ...validationBody(exception.errors, catalogue), ...exception.members };
    } else {
      const error = toApiError(exception);
      ({ status } = error);
      body = errorBody(error, catalogue);
      headers = error.headers;
      response.locals['refusal'] = error.messageName;
      // What the service refuses by itself, the line of the request says.
      if ((status >= 500 || isRefusedByData(exception)) && error !== exception)
        log(request, status, exception);
    }
    if (response.headersSent) {
      // Half an answer cannot be mended: the client must notice that it is not whole.
      response.destroy();
      return;
    }
    response.set(headers).vary('Accept-Language');
    if (catalogue !== 'reference') response.set('Content-Language', catalogue);
    this.adapterHost.httpAdapter.reply(response, body, status);
  }
}

function toApiError(exception: unknown): ApiError {
  if (exception instanceof ApiError) return exception;
  if (isRefusedByData(exception)) {
    return new ApiError(409, 'refusedByData', { cause: exception });
  }
  const status = isDatabaseUnavailable(exception) ? 503 : statusOf(exception);
  const isClients = status >= 400 && status < 500;
  const messageName = MESSAGE_OF_STATUS[status] ?? (isClients ? 'badRequest' : undefined);
  if (messageName === undefined) return new ApiError(500, 'internal', { cause: exception });
  return new ApiError(status, messageName, {
    cause: exception,
    headers: status === 503 ? { 'Retry-After': RETRY_AFTER_SECONDS } : {},
  });
}

/** Status of an error of Nest, or of one made by http-errors, which Express and its parsers use. */
function statusOf(exception: unknown): number {
  if (exception instanceof HttpException) return exception.getStatus();
  if (exception instanceof Error && 'status' in exception && typeof exception.status === 'number') {
    return exception.status;
  }
  return 500;
}

/** Tells the operator of a failure; of what passes by itself, not where it happened. */
function log(request: Request, status: number, exception: unknown): void {
  const { stack, ...what } = safeError(exception);
  if (status < 500 || status === 503) request.log.warn(what, 'request failed');
  else request.log.error({ ...what, stack }, 'request failed');
}
