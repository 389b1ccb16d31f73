import { createServer } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import express, { type Express, type RequestHandler, type Response } from 'express';
import { ApiError } from '../errors/api-error';
import { answerRefusedRequests } from './refused-by-node';
import { KEEP_ALIVE_MS, trackAnswers } from './stop-serving';

/** A request has arrived by then, or is 408. */
const ARRIVAL_MS = 10_000;
/** Between two looks for those that have not. */
const CHECK_MS = 1000;
/** A connection on which nothing moves is closed, also in the middle of an answer that nobody reads. */
const SILENCE_MS = 180_000;

/**
 * Express as this service wants it: paths are case-sensitive and strict about a slash at their end,
 * JSON is answered as `application/json` and nothing more, a path that exists says which methods it
 * has (405, and OPTIONS).
 */
export class ServiceAdapter extends ExpressAdapter {
  /** @param page answers what no route does, if it likes to */
  constructor(private readonly page: RequestHandler) {
    const app = express();
    app.disable('x-powered-by').disable('etag');
    app.enable('case sensitive routing').enable('strict routing');
    super(app);
  }

  /** Without Node's check of the Host header; see `refuseHead`. */
  override initHttpServer(): void {
    this.httpServer = createServer(
      {
        requireHostHeader: false,
        headersTimeout: ARRIVAL_MS,
        requestTimeout: ARRIVAL_MS,
        connectionsCheckingInterval: CHECK_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      this.getInstance<Express>(),
    );
    this.httpServer.setTimeout(SILENCE_MS);
    answerRefusedRequests(this.httpServer);
    trackAnswers(this.httpServer);
  }

  /** RFC 8259 §11: JSON has no charset parameter, which Express would add. */
  override reply(response: Response, body: unknown, status?: number): unknown {
    if (body === null || typeof body !== 'object') return super.reply(response, body, status);
    const json = JSON.stringify(body);
    if (status !== undefined) response.status(status);
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', Buffer.byteLength(json));
    return response.end(json);
  }

  /** RFC 9110 §15.5.6 and §9.3.7: a known path with another method is no 404. */
  override setNotFoundHandler(
    ...[handler, ...rest]: Parameters<ExpressAdapter['setNotFoundHandler']>
  ): void {
    // Nest types it as any function; what it gives is a handler of Express.
    const notFound = handler as RequestHandler;
    const refuse: RequestHandler = (request, response, next) => {
      const allowed = allowedMethods(this.getInstance<Express>(), request.path);
      if (allowed.length === 0) {
        void this.page(request, response, (error?: unknown) => {
          // A router that leaves it to others says null.
          if (error === undefined || error === null) void notFound(request, response, next);
          else next(error);
        });
      } else if (request.method === 'OPTIONS') {
        response.set('Allow', allowed.join(', ')).status(204).end();
      } else {
        throw new ApiError(405, 'methodNotAllowed', { headers: { Allow: allowed.join(', ') } });
      }
    };
    super.setNotFoundHandler(refuse, ...rest);
  }
}

/** What Express keeps of a route or a middleware, of which its types tell only half. */
interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** Methods that Express has a route for at this path. */
function allowedMethods(app: Express, path: string): string[] {
  const layers = app.router.stack as unknown as readonly Layer[];
  const methods = new Set(
    layers
      .filter((layer) => layer.route !== undefined && layer.match(path))
      .flatMap((layer) => Object.keys(layer.route?.methods ?? {}))
      .map((method) => method.toUpperCase()),
  );
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}
