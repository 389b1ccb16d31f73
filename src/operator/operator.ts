import type { Logger } from 'pino';
import type { Actor } from '../audit/record-event';
import { type EventDetails, logSecurity, type SecurityEvent } from '../logging/security-log';

/** Whoever looks after accounts at the machine. */
export class Operator implements Actor {
  /** @param operator their account on the machine */
  constructor(
    readonly log: Logger,
    readonly operator: string,
  ) {}

  /** Writes down in the log alone what they have done. */
  say(event: SecurityEvent, details: EventDetails): void {
    logSecurity(this.log, event, { ...details, operator: this.operator });
  }
}
