import { Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { Counter, Registry } from 'prom-client';
import { ACCOUNT_DOOR } from '../limits/guess-limits.service';
import { DOOR_NAMES } from '../limits/limits.service';
import { onSecurityEvent, SECURITY_EVENTS } from '../logging/security-log';

/** How often each thing happened that the log says for security, and what was done too often. */
@Injectable()
export class SecurityMetrics {
  private readonly events: Counter<'event'>;
  private readonly refusals: Counter<'door'>;

  constructor(registry: Registry) {
    this.events = new Counter({
      name: 'user_account_security_events_total',
      help: 'Lines of the log with "msg":"security", by their event.',
      labelNames: ['event'],
      registers: [registry],
    });
    this.refusals = new Counter({
      name: 'user_account_rate_limit_refusals_total',
      help: 'Answers 429, by what was done too often; account: guesses of one account, from wherever.',
      labelNames: ['door'],
      registers: [registry],
    });
    // From the beginning: of what ought never to happen, the first time is what an alert waits for.
    for (const event of SECURITY_EVENTS) this.events.inc({ event }, 0);
    for (const door of [...DOOR_NAMES, ACCOUNT_DOOR]) this.refusals.inc({ door }, 0);
  }

  /** Counts what is logged from now on. @param log the one that all of an app's are children of */
  listenTo(log: Logger): void {
    onSecurityEvent(log, (event, { door }) => {
      this.events.inc({ event });
      if (door !== undefined) this.refusals.inc({ door });
    });
  }
}
