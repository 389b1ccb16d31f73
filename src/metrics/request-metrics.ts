import { Injectable } from '@nestjs/common';
import type { RequestHandler } from 'express';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { routeOf, statusOf } from '../logging/request-log';
import { Outcomes } from './outcomes';

/** Those that the service has routes for, and that anybody sends; Node takes some thirty more. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);

/** From an answer out of memory to a client that waits for hashes and the database in vain. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How many requests there are, what they are answered, and how soon. */
@Injectable()
export class RequestMetrics {
  private inFlight = 0;
  private readonly seconds: Histogram<'method' | 'route' | 'status'>;
  private readonly unexpected: Counter;

  constructor(
    registry: Registry,
    private readonly outcomes: Outcomes,
  ) {
    this.seconds = new Histogram({
      name: 'user_account_http_request_duration_seconds',
      help: 'Requests that are over, by the template of their route (none: no route), and 499 where the client has gone before its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers: [registry],
    });
    // From the beginning, as no label can be: the first is what an alert waits for.
    this.unexpected = new Counter({
      name: 'user_account_unexpected_errors_total',
      help: 'Answers 500: each is a mistake in the service.',
      registers: [registry],
    });
    const inFlight = (): number => this.inFlight;
    new Gauge({
      name: 'user_account_http_requests_in_flight',
      help: 'Requests that are being answered.',
      registers: [registry],
      collect() {
        this.set(inFlight());
      },
    });
  }

  /** Counts every request, once it is over. */
  readonly observe: RequestHandler = (request, response, next) => {
    const began = performance.now();
    this.inFlight += 1;
    response.once('close', () => {
      this.inFlight -= 1;
      const { method } = request;
      const route = routeOf(request) ?? 'none';
      const status = statusOf(response);
      this.seconds.observe(
        { method: METHODS.has(method) ? method : 'other', route, status },
        (performance.now() - began) / 1000,
      );
      if (status === 500) this.unexpected.inc();
      this.outcomes.count(request, response);
    });
    next();
  };
}
